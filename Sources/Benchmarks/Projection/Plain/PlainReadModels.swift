internal import Postgres

/// What an engineer would build read models with if there were no recorder: one `INSERT … SELECT … GROUP BY` for each,
/// over all events in the plain table, on one connection. The limit that projecting and rebuilding are compared with.
///
/// Each computes what the read model's view shows, except the audit log's hash chain, which one statement cannot
/// compute without a function that goes row by row.
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

    /// What a call of a language model costs, if the event does not say.
    static let computedCost = """
        (select usd from llm_costs(data->>'model', occurred_at, (data->>'inputTokens')::bigint,
                                   (data->>'cachedInputTokens')::bigint, (data->>'outputTokens')::bigint))
        """
}
