extension PlainReadModels {
    /// For each session: its states and the time in each, its turns, its cost, its errors.
    static let sessions = """
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
}
