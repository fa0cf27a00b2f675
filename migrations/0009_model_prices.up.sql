-- What a token costs: US dollars, exact, by model, kind of token and the moment from which it holds.
create table model_prices (
    model          text        not null,
    kind           text        not null,
    usd_per_token  numeric     not null,
    valid_from     timestamptz not null default '-infinity',
    primary key (model, kind, valid_from),
    constraint model_prices_kind check (kind in ('input', 'input_cache_read', 'output')),
    constraint model_prices_price check (usd_per_token >= 0 and usd_per_token < 'Infinity')
);

alter table model_prices owner to recorder_owner;
grant select on model_prices to recorder_projector, recorder_analyst, recorder_appender;

-- The cost of one call of a language model at the prices of its moment; a table of one row.
--
-- NULL, never 0, where something is not known: the model, a count, or the price of a kind of token of
-- which there are any. Cached tokens are part of the input; a count of them that is absent is none.
-- A table function because the planner puts its body into the query that calls it: a third of the time of
-- a function that runs its own. Its names are bound here, so no search_path stands in the way of that.
create function llm_costs(
    model text, at timestamptz, input_tokens bigint, cached_input_tokens bigint, output_tokens bigint
) returns table (usd numeric)
language sql stable parallel safe
begin atomic
    select case when count(*) > 0 and input_tokens is not null and output_tokens is not null then
        case when input_tokens > coalesce(cached_input_tokens, 0)
             then (input_tokens - coalesce(cached_input_tokens, 0))
                  * max(valid.usd_per_token) filter (where valid.kind = 'input')
             else 0 end
        + case when least(coalesce(cached_input_tokens, 0), input_tokens) <> 0
               then least(coalesce(cached_input_tokens, 0), input_tokens)
                    * max(valid.usd_per_token) filter (where valid.kind = 'input_cache_read')
               else 0 end
        + case when output_tokens <> 0
               then output_tokens * max(valid.usd_per_token) filter (where valid.kind = 'output')
               else 0 end
    end
    from (
        -- Downwards, as the key is read backwards without a sort.
        select distinct on (price.kind) price.kind, price.usd_per_token
        from model_prices price
        where price.model = llm_costs.model and price.valid_from <= llm_costs.at
        order by price.kind desc, price.valid_from desc
    ) valid;
end;

-- The same as a value, for queries by hand.
create function llm_cost(
    model text, at timestamptz, input_tokens bigint, cached_input_tokens bigint, output_tokens bigint
) returns numeric
language sql stable parallel safe
return (select usd from llm_costs(model, at, input_tokens, cached_input_tokens, output_tokens));
