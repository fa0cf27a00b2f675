import EventModel

/// The document and the conversation of the user of ``DemoJourney``.
struct DemoTalk: Sendable {
    /// The session.
    let session = StreamID.generate(at: .now())
    /// The document's name.
    let filename = "travel insurance.txt"
    /// The document's text.
    let document = """
        Your journey is insured from your own front door. Lost luggage: up to 1500 euros, with the airline's report. \
        Delay: 50 euros from the fourth hour. Illness abroad: the treatment and the way home.
        """
    /// What the user says.
    let said = "the airline has lost my suitcase am i insured"
    /// What the agent answers.
    let answer = "Yes, you are: lost luggage up to 1500 euros. Please send us the airline's report."

    /// The session's events, as a gateway appends them.
    func events(of user: StreamID) throws -> [EventDraft] {
        let start = Timestamp.now().advanced(by: .seconds(-3))
        let turn = "\"turnId\":\"\(EventID.generate(at: start))\""
        return try [
            (0, "session.started", "\"userId\":\"\(user)\",\"llmProvider\":\"openai\""),
            (400, "turn.started", "\(turn),\"turnIndex\":1"),
            (
                1_900, "turn.transcribed",
                "\(turn),\"userTranscript\":\"\(said)\",\"asrLatencyMs\":180,\"asrCost\":\"0.0009\""
            ),
            (
                2_450, "turn.generated",
                "\(turn),\"llmResponse\":\"\(answer)\",\"llmLatencyMs\":510,\"llmCost\":\"0.0031\""
            ),
            (2_700, "turn.completed", "\(turn),\"endToEndLatencyMs\":800"),
            (2_900, "session.ended", "\"reason\":\"user_left\""),
        ].map { (offset: Int, type: String, data: String) in
            try EventDraft(
                id: .generate(at: start),
                type: EventType(type),
                occurredAt: start.advanced(by: .milliseconds(offset)),
                data: Array("{\(data)}".utf8),
                metadata: Array(#"{"actor":"gateway","ipAddress":"203.0.113.7"}"#.utf8)
            )
        }
    }
}
