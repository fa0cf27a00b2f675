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

-- The cost of one call of a language model at the prices of its moment.
--
-- NULL, never 0, where something is not known: the model, a count, or the price of a kind of token of
-- which there are any. Cached tokens are part of the input; a count of them that is absent is none.
create function llm_cost(
    model text, at timestamptz, input_tokens bigint, cached_input_tokens bigint, output_tokens bigint
) returns numeric
language plpgsql stable parallel safe set search_path from current as $$
#variable_conflict use_column
declare
    of_model    text := llm_cost.model;
    cached      bigint := least(coalesce(cached_input_tokens, 0), input_tokens);
    per_input   numeric;
    per_cached  numeric;
    per_output  numeric;
begin
    if of_model is null or input_tokens is null or output_tokens is null then
        return null;
    end if;

    select max(usd_per_token) filter (where kind = 'input'),
           max(usd_per_token) filter (where kind = 'input_cache_read'),
           max(usd_per_token) filter (where kind = 'output')
    into per_input, per_cached, per_output
    from (
        select distinct on (kind) kind, usd_per_token from model_prices
        where model = of_model and valid_from <= at
        order by kind, valid_from desc
    ) valid;

    if coalesce(per_input, per_cached, per_output) is null then
        return null;
    end if;
    return case when input_tokens = cached then 0 else (input_tokens - cached) * per_input end
         + case when cached = 0 then 0 else cached * per_cached end
         + case when output_tokens = 0 then 0 else output_tokens * per_output end;
end
$$;
