import EventModel

/// A session of a few events, one of which may not fit.
struct Session {
    let stream: StreamID
    let lines: [EventLine]

    /// Makes a session.
    ///
    /// - Parameters:
    ///   - latency: The JSON value of one turn's `llmLatencyMs`.
    ///   - isFirst: Whether that is the session's first event; otherwise there is a good turn before it.
    static func events(latency: String, isFirst: Bool) throws -> Session {
        let now = Timestamp.now()
        let stream = StreamID.generate(at: now)
        var lines: [EventLine] = []
        func add(_ type: String, _ data: String) throws {
            let event = try EventDraft(
                id: .generate(at: now),
                type: try EventType(type),
                occurredAt: now.advanced(by: .milliseconds(Int64(lines.count))),
                data: Array(data.utf8)
            )
            lines.append(EventLine(stream: stream, event: event))
        }
        func turn(_ latency: String) throws {
            let turn = #""turnId":"\#(StreamID.generate(at: now))""#
            if lines.isEmpty {
                try add("turn.generated", #"{\#(turn),"llmLatencyMs":\#(latency)}"#)
            } else {
                try add("turn.started", #"{\#(turn),"turnIndex":\#(lines.count)}"#)
                try add("turn.generated", #"{\#(turn),"llmLatencyMs":\#(latency)}"#)
                try add("turn.completed", #"{\#(turn)}"#)
            }
        }
        if isFirst { try turn(latency) }
        try add("session.started", #"{"llmProvider":"openai"}"#)
        try turn("120")
        if !isFirst { try turn(latency) }
        try turn("240")
        try add("session.ended", "{}")
        return Session(stream: stream, lines: lines)
    }
}
