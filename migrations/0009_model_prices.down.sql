drop function llm_cost(text, timestamptz, bigint, bigint, bigint);
drop table model_prices;
