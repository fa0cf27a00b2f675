extension PlainReadModels {
    /// For each minute, hour and day, by stage, provider and model: how long calls took, as sums and as bins.
    static let latencies = """
        with staged as (
            select
                stream_id, data->>'turnId' as turn_id, version, type, occurred_at, stage,
                case when stage is not null then data->>(stage || 'Provider') end as provider, data->>'model' as model,
                case when stage is not null then (data->>(stage || 'LatencyMs'))::numeric end as ms,
                (data->>'timeToFirstTokenMs')::numeric as first_token_ms,
                (data->>'endToEndLatencyMs')::numeric as end_to_end_ms
            from plain_events
            join (values ('turn.transcribed', 'asr'), ('turn.retrieved', 'rag'), ('turn.generated', 'llm'),
                         ('turn.synthesized', 'tts'), ('turn.interrupted', null), ('turn.completed', null))
                as stages(type, stage) using (type)
        ), measured as materialized (
            select occurred_at, stage, provider, model, null::boolean as interrupted, ms,
                ms::double precision as approximate_ms
            from staged where ms is not null
            union all
            select occurred_at, 'llm_first_token', provider, model, null, first_token_ms,
                first_token_ms::double precision
            from staged where stage = 'llm' and first_token_ms is not null
            union all
            select occurred_at, 'turn', null, null, interrupted, coalesce(end_to_end_ms, stages_ms),
                coalesce(end_to_end_ms, stages_ms)::double precision
            from (
                select type, occurred_at, end_to_end_ms, sum(ms) over turn as stages_ms,
                    bool_or(type = 'turn.interrupted') over turn as interrupted
                from staged where turn_id is not null
                window turn as (partition by stream_id, turn_id order by version)
            ) turns
            where type = 'turn.completed' and coalesce(end_to_end_ms, stages_ms) is not null
        ), minutes as materialized (
            select
                date_bin('1 minute', occurred_at, '1970-01-01 00:00+00') as bucket_start, stage, provider, model,
                interrupted, count(*) as count, sum(ms) as sum_ms, min(ms) as min_ms, max(ms) as max_ms,
                array_agg(latency_bin(approximate_ms)) as bins
            from measured group by 1, 2, 3, 4, 5
        ), hours as materialized (
            select
                date_bin('1 hour', bucket_start, '1970-01-01 00:00+00') as bucket_start, stage, provider, model,
                interrupted, sum(count)::bigint as count, sum(sum_ms) as sum_ms, min(min_ms) as min_ms,
                max(max_ms) as max_ms, array_concat(bins) as bins
            from minutes group by 1, 2, 3, 4, 5
        ), binned_hours as materialized (
            select bucket_start, stage, provider, model, interrupted, count, sum_ms, min_ms, max_ms, binned.*
            from hours cross join lateral (
                select array_agg(bin) as bins, array_agg(n) as counts
                from (select bin, count(*) as n from unnest(bins) as u(bin) group by bin) counted
            ) binned
        ), stored_minutes as (
            insert into plain_latency_minutes
            select bucket_start, stage, provider, model, interrupted, count, sum_ms, min_ms, max_ms, binned.*
            from minutes cross join lateral (
                select array_agg(bin) as bins, array_agg(n) as counts
                from (select bin, count(*) as n from unnest(bins) as u(bin) group by bin) counted
            ) binned
        ), stored_hours as (
            insert into plain_latency_hours select * from binned_hours
        ), days as (
            select
                date_bin('1 day', bucket_start, '1970-01-01 00:00+00') as bucket_start, stage, provider, model,
                interrupted, sum(count)::bigint as count, sum(sum_ms) as sum_ms, min(min_ms) as min_ms,
                max(max_ms) as max_ms, array_concat(bins) as bins, array_concat(counts) as counts
            from binned_hours group by 1, 2, 3, 4, 5
        )
        insert into plain_latency_days
        select bucket_start, stage, provider, model, interrupted, count, sum_ms, min_ms, max_ms, binned.*
        from days cross join lateral (
            select array_agg(bin) as bins, array_agg(n) as counts
            from (select bin, sum(n)::bigint as n from unnest(days.bins, days.counts) as u(bin, n) group by bin) counted
        ) binned
        """
}
