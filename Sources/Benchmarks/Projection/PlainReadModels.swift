internal import Postgres

/// What an engineer would build read models with if there were no recorder: one `INSERT … SELECT … GROUP BY` for each, over
/// all events in the plain table, on one connection. The limit that projecting and rebuilding are compared with.
///
/// Each computes what the read model's view shows. Of the audit log the chain of hashes is left out: it cannot be said in
/// one statement without a function that runs along the rows.
// Long because of five statements that belong together, as the limit of one measurement.
enum PlainReadModels {
    /// Makes the tables, with the keys that the read models have.
    static func create(on connection: PostgresConnection) async throws {
        try await connection.run(unsafeSQL: tables)
    }

    /// Builds all read models in empty tables.
    ///
    /// - Returns: How long the statements took.
    static func build(on connection: PostgresConnection) async throws -> Duration {
        // What an engineer would set: sorts in memory, and no compiling, which costs more than it saves here.
        try await connection.run(
            unsafeSQL: """
                set work_mem = '256MB'; set jit = off;
                truncate plain_sessions, plain_turns, plain_costs, plain_audit_logs,
                    plain_latency_minutes, plain_latency_hours, plain_latency_days
                """
        )
        return try await ContinuousClock().measure {
            for statement in [sessions, turns, costs, auditLogs, latencies] {
                try await connection.run(unsafeSQL: statement)
            }
        }
    }

    private static let tables = """
        create table plain_sessions (
            id uuid primary key, user_id uuid, state text, asr_provider text, llm_provider text, tts_provider text,
            started_at timestamptz, ended_at timestamptz, last_event_at timestamptz, version int, total_turns int,
            measured_turns int, average_latency_ms double precision, total_cost numeric, uncosted_calls int,
            interrupted_turns int, error_count int, anomalies int, time_in_state jsonb, config jsonb
        );
        create table plain_turns (
            session_id uuid, turn_id uuid, turn_index int, status text, started_at timestamptz, completed_at timestamptz,
            user_transcript text, llm_response text, spoken_text text, interrupted boolean,
            asr_latency_ms double precision, rag_latency_ms double precision, llm_latency_ms double precision,
            tts_latency_ms double precision, first_token_ms double precision, end_to_end_latency_ms double precision,
            latency_ms double precision, asr_cost numeric, rag_cost numeric, llm_cost numeric, tts_cost numeric,
            total_cost numeric, model text, input_tokens bigint, cached_input_tokens bigint, output_tokens bigint,
            error_type text, primary key (session_id, turn_id)
        );
        create table plain_costs (
            session_id uuid, stage text, provider text, model text, day date, calls bigint, input_tokens bigint,
            cached_input_tokens bigint, output_tokens bigint, audio_seconds numeric, characters bigint,
            provided_cost numeric, computed_cost numeric, cost numeric, uncosted_calls bigint,
            unique nulls not distinct (session_id, stage, provider, model)
        );
        create table plain_audit_logs (
            id uuid, position bigint primary key, user_id uuid, action text, resource text, result text, ip_address text,
            user_agent text, metadata jsonb, timestamp timestamptz
        );
        create table plain_latency_minutes (
            bucket_start timestamptz, stage text, provider text, model text, interrupted boolean, count bigint,
            sum_ms numeric, min_ms numeric, max_ms numeric, bins smallint[], counts bigint[],
            unique nulls not distinct (bucket_start, stage, provider, model, interrupted)
        );
        create table plain_latency_hours (like plain_latency_minutes including all);
        create table plain_latency_days (like plain_latency_minutes including all);
        """

    /// What a call of a language model costs, where it does not say so itself.
    private static let computedCost = """
        (select usd from llm_costs(data->>'model', occurred_at, (data->>'inputTokens')::bigint,
                                   (data->>'cachedInputTokens')::bigint, (data->>'outputTokens')::bigint))
        """

    private static let sessions = """
        insert into plain_sessions
        with marks as (
            select
                stream_id, type, occurred_at, data->>'from' as from_state, data->>'to' as to_state,
                lag(occurred_at) over stream as marked_at,
                coalesce(substr(max(lpad(version::text, 10, '0') || (data->>'to') collate "C")
                    filter (where type = 'session.state_changed')
                    over (stream rows between unbounded preceding and 1 preceding), 11), 'idle') as state
            from plain_events
            where type in ('session.started', 'session.state_changed', 'session.ended')
            window stream as (partition by stream_id order by version)
        ), spans as (
            select
                stream_id, state,
                extract(epoch from sum(occurred_at - coalesce(marked_at, first_at))
                    filter (where type <> 'session.started')) * 1000 as ms,
                count(*) filter (where type = 'session.state_changed' and (
                    from_state = state and from_state || ' → ' || to_state = any (array[
                        'idle → listening', 'idle → processing', 'idle → error', 'listening → processing',
                        'listening → idle', 'listening → error', 'processing → speaking', 'processing → listening',
                        'processing → interrupted', 'processing → idle', 'processing → error', 'speaking → listening',
                        'speaking → interrupted', 'speaking → idle', 'speaking → processing', 'speaking → error',
                        'interrupted → listening', 'interrupted → processing', 'interrupted → idle',
                        'interrupted → error', 'error → idle', 'error → listening'
                    ])) is not true) as anomalies
            from marks
            left join (select stream_id, occurred_at as first_at from plain_events where version = 1) first
                using (stream_id)
            group by stream_id, state
        ), times as (
            select stream_id, jsonb_object_agg(state, ms) filter (where ms is not null) as time_in_state,
                sum(anomalies) as anomalies
            from spans group by stream_id
        ), turn as (
            select
                stream_id, data->>'turnId' as turn_id,
                coalesce(
                    (array_agg((data->>'endToEndLatencyMs')::numeric order by version desc)
                        filter (where type = 'turn.completed'))[1],
                    sum(case type when 'turn.transcribed' then (data->>'asrLatencyMs')::numeric
                                  when 'turn.retrieved' then (data->>'ragLatencyMs')::numeric
                                  when 'turn.generated' then (data->>'llmLatencyMs')::numeric
                                  when 'turn.synthesized' then (data->>'ttsLatencyMs')::numeric end)
                ) as ms,
                bool_or(type = 'turn.interrupted') as interrupted
            from plain_events where type like 'turn.%' and data ? 'turnId'
            group by 1, 2
        ), turns as (
            select stream_id, count(ms) as measured_turns, avg(ms) as average_latency_ms,
                count(*) filter (where interrupted) as interrupted_turns
            from turn group by stream_id
        ), events as (
            select
                stream_id,
                (array_agg(data order by version desc) filter (where type = 'session.started'))[1] as start,
                (array_agg(data->>'to' order by version desc) filter (where type = 'session.state_changed'))[1] as state,
                max(occurred_at) filter (where type = 'session.started') as started_at,
                max(occurred_at) filter (where type = 'session.ended') as ended_at,
                max(occurred_at) as last_event_at, max(version) as version,
                count(*) filter (where type = 'turn.started') as total_turns, sum(cost) as total_cost,
                count(*) filter (where cost is null
                    and type in ('turn.transcribed', 'turn.generated', 'turn.synthesized')) as uncosted_calls,
                count(*) filter (where type = 'turn.failed'
                    or type = 'session.state_changed' and data->>'to' = 'error') as error_count
            from (
                select *, case type
                    when 'turn.transcribed' then (data->>'asrCost')::numeric
                    when 'turn.retrieved' then (data->>'ragCost')::numeric
                    when 'turn.generated' then coalesce((data->>'llmCost')::numeric, \(computedCost))
                    when 'turn.synthesized' then (data->>'ttsCost')::numeric end as cost
                from plain_events
            ) costed
            group by stream_id
            having bool_or(type like 'session.%' or type like 'turn.%')
        )
        select
            stream_id, (start->>'userId')::uuid, coalesce(state, 'idle'), start->>'asrProvider', start->>'llmProvider',
            start->>'ttsProvider', started_at, ended_at, last_event_at, version, total_turns,
            coalesce(measured_turns, 0), average_latency_ms::double precision, total_cost, uncosted_calls,
            coalesce(interrupted_turns, 0), error_count, coalesce(anomalies, 0), coalesce(time_in_state, '{}'),
            start->'config'
        from events left join times using (stream_id) left join turns using (stream_id)
        """

    private static let turns = """
        insert into plain_turns
        select
            stream_id, turn_id, turn_index,
            case when completed_version > coalesce(failed_version, 0)
                 then case when interrupted_version < completed_version then 'interrupted' else 'completed' end
                 when failed_version is not null then 'failed' else 'started' end,
            started_at, completed_at, user_transcript, llm_response, spoken_text, interrupted_version is not null,
            asr_ms, rag_ms, llm_ms, tts_ms, first_token_ms, end_to_end_ms,
            coalesce(end_to_end_ms, case when num_nonnulls(asr_ms, rag_ms, llm_ms, tts_ms) > 0
                then coalesce(asr_ms, 0) + coalesce(rag_ms, 0) + coalesce(llm_ms, 0) + coalesce(tts_ms, 0) end),
            asr_cost, rag_cost, llm_cost, tts_cost,
            case when num_nonnulls(asr_cost, rag_cost, llm_cost, tts_cost) > 0
                then coalesce(asr_cost, 0) + coalesce(rag_cost, 0) + coalesce(llm_cost, 0) + coalesce(tts_cost, 0) end,
            model, input_tokens, cached_input_tokens, output_tokens, error_type
        from (
            select
                stream_id, (data->>'turnId')::uuid as turn_id,
                max((data->>'turnIndex')::int) filter (where type = 'turn.started') as turn_index,
                max(version) filter (where type = 'turn.completed') as completed_version,
                max(version) filter (where type = 'turn.failed') as failed_version,
                min(version) filter (where type = 'turn.interrupted') as interrupted_version,
                min(occurred_at) filter (where type = 'turn.started') as started_at,
                max(occurred_at) filter (where type = 'turn.completed') as completed_at,
                string_agg(data->>'userTranscript', e'\\n' order by version) as user_transcript,
                string_agg(data->>'llmResponse', e'\\n' order by version) as llm_response,
                (array_agg(data->>'spokenText' order by version desc)
                    filter (where type = 'turn.interrupted'))[1] as spoken_text,
                sum((data->>'asrLatencyMs')::numeric) filter (where type = 'turn.transcribed') as asr_ms,
                sum((data->>'ragLatencyMs')::numeric) filter (where type = 'turn.retrieved') as rag_ms,
                sum((data->>'llmLatencyMs')::numeric) filter (where type = 'turn.generated') as llm_ms,
                sum((data->>'ttsLatencyMs')::numeric) filter (where type = 'turn.synthesized') as tts_ms,
                (array_agg((data->>'timeToFirstTokenMs')::numeric order by version)
                    filter (where type = 'turn.generated' and data ? 'timeToFirstTokenMs'))[1] as first_token_ms,
                (array_agg((data->>'endToEndLatencyMs')::numeric order by version desc)
                    filter (where type = 'turn.completed'))[1] as end_to_end_ms,
                sum((data->>'asrCost')::numeric) filter (where type = 'turn.transcribed') as asr_cost,
                sum((data->>'ragCost')::numeric) filter (where type = 'turn.retrieved') as rag_cost,
                sum(coalesce((data->>'llmCost')::numeric, case when type = 'turn.generated' then \(computedCost) end))
                    filter (where type = 'turn.generated') as llm_cost,
                sum((data->>'ttsCost')::numeric) filter (where type = 'turn.synthesized') as tts_cost,
                (array_agg(data->>'model' order by version desc)
                    filter (where type = 'turn.generated' and data ? 'model'))[1] as model,
                sum((data->>'inputTokens')::bigint) filter (where type = 'turn.generated') as input_tokens,
                sum((data->>'cachedInputTokens')::bigint) filter (where type = 'turn.generated') as cached_input_tokens,
                sum((data->>'outputTokens')::bigint) filter (where type = 'turn.generated') as output_tokens,
                (array_agg(data->>'errorType' order by version desc)
                    filter (where type = 'turn.failed' and data ? 'errorType'))[1] as error_type
            from plain_events where type like 'turn.%' and data ? 'turnId'
            group by 1, 2
        ) turn
        """

    private static let costs = """
        insert into plain_costs
        select
            stream_id, stage, provider, model, (array_agg((occurred_at at time zone 'UTC')::date order by version))[1],
            count(*), coalesce(sum(input_tokens), 0), coalesce(sum(cached_input_tokens), 0),
            coalesce(sum(output_tokens), 0), coalesce(sum(audio_seconds), 0), coalesce(sum(characters), 0),
            sum(provided), sum(computed), sum(coalesce(provided, computed)),
            count(*) filter (where provided is null and computed is null)
        from (
            select
                stream_id, version, occurred_at, stage, data->>(stage || 'Provider') as provider,
                data->>'model' as model, (data->>'inputTokens')::bigint as input_tokens,
                (data->>'cachedInputTokens')::bigint as cached_input_tokens,
                (data->>'outputTokens')::bigint as output_tokens, (data->>'audioSeconds')::numeric as audio_seconds,
                (data->>'characters')::bigint as characters, (data->>(stage || 'Cost'))::numeric as provided,
                case when stage = 'llm' then \(computedCost) end as computed
            from plain_events
            join (values ('turn.transcribed', 'asr'), ('turn.retrieved', 'rag'), ('turn.generated', 'llm'),
                         ('turn.synthesized', 'tts')) as stages(type, stage) using (type)
            where stage <> 'rag' or data ? 'ragCost'
        ) call
        group by stream_id, stage, provider, model
        """

    private static let auditLogs = """
        insert into plain_audit_logs
        select
            event_id, position,
            coalesce(
                (data->>'userId')::uuid, case when type like 'user.%' then stream_id end, started_by,
                case when metadata->>'actor' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                     then (metadata->>'actor')::uuid end
            ),
            type,
            coalesce(case when type like 'access.%' then data->>'resource' end,
                     split_part(type, '.', 1) || '/'
                         || coalesce(case when type not like 'session.%' then data->>'id' end, stream_id::text)),
            coalesce(data->>'result', 'success'), metadata->>'ipAddress', metadata->>'userAgent', metadata, occurred_at
        from (
            select *, substr(max(lpad(version::text, 10, '0') || (data->>'userId') collate "C")
                filter (where type = 'session.started')
                over (partition by stream_id order by version), 11)::uuid as started_by
            from plain_events
            where type in ('session.started', 'session.ended') or type like 'user.%' or type like 'voice_model.%'
                or type like 'face_model.%' or type like 'document.%' or type like 'access.%'
        ) audited
        """

    private static let latencies = """
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
