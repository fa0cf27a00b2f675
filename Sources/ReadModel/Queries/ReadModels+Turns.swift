public import EventModel

internal import Postgres

extension ReadModels {
    /// A session's turns, in their order.
    ///
    /// - Throws: ``ReadModelError``; `CancellationError`.
    public func turns(of session: StreamID) async throws -> [Turn] {
        try await rows(SelectTurns(session: session))
    }
}

/// Turns of the view `conversation_turns`.
struct SelectTurns: PostgresStatement {
    let session: StreamID

    let sql = """
        select session_id, turn_id, turn_index, status, started_at, completed_at, user_transcript, llm_response,
            spoken_text, interrupted, asr_latency_ms, rag_latency_ms, llm_latency_ms, tts_latency_ms, first_token_ms,
            end_to_end_latency_ms, latency_ms, asr_cost, rag_cost, llm_cost, tts_cost, total_cost, model, input_tokens,
            cached_input_tokens, output_tokens, error_type
        from conversation_turns where session_id = $1
        order by turn_index nulls last, started_at, turn_id
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(session.uuid) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Turn {
        Turn(
            session: StreamID(try row.uuid(at: 0)),
            id: try row.uuid(at: 1),
            index: try row.decode(at: 2),
            status: try row.decode(at: 3),
            startedAt: try row.moment(at: 4),
            completedAt: try row.moment(at: 5),
            userTranscript: try row.decode(at: 6),
            llmResponse: try row.decode(at: 7),
            spokenText: try row.decode(at: 8),
            interrupted: try row.decode(at: 9),
            latencies: Turn.Latencies(
                asrMs: try row.decode(at: 10),
                ragMs: try row.decode(at: 11),
                llmMs: try row.decode(at: 12),
                ttsMs: try row.decode(at: 13),
                firstTokenMs: try row.decode(at: 14),
                endToEndMs: try row.decode(at: 15),
                totalMs: try row.decode(at: 16)
            ),
            costs: Turn.Costs(
                asr: try row.money(at: 17),
                rag: try row.money(at: 18),
                llm: try row.money(at: 19),
                tts: try row.money(at: 20),
                total: try row.money(at: 21)
            ),
            model: try row.decode(at: 22),
            inputTokens: try row.decode(at: 23),
            cachedInputTokens: try row.decode(at: 24),
            outputTokens: try row.decode(at: 25),
            errorType: try row.decode(at: 26)
        )
    }
}
