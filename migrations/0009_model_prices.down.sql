drop function llm_cost(text, timestamptz, bigint, bigint, bigint);
drop function llm_costs(text, timestamptz, bigint, bigint, bigint);
drop table model_prices;
