import EventModel
import ReadModel

/// Frames and snapshots of sessions, for a person and as JSON.
enum ReplayText {
    /// Prints a frame as one line.
    static func print(_ frame: ReplayFrame) {
        let latencies = frame.latencies.compactMap { latency in
            Figures.milliseconds(latency.milliseconds).map { "\(latency.name) \($0) ms" }
        }
        let sum = Figures.dollars(frame.costSoFar, isPartial: frame.uncostedCalls > 0)
        let cost = frame.cost == nil ? nil : sum.map { "\($0) so far" }
        let misfits = frame.misfits.map { "\($0) is no number" }
        let notes = (latencies + [cost].compactMap(\.self) + misfits).joined(separator: ", ")
        let who = frame.speaker == .system ? frame.type.name.onOneLine : frame.speaker.rawValue
        let head = [
            Figures.offset(frame.offset).padded(fromLeftTo: 10),
            frame.state.onOneLine.padded(to: 11),
            (frame.turnIndex.map { "#\($0)" } ?? "").padded(fromLeftTo: 4),
            who,
        ].joined(separator: "  ")
        let tail = [frame.text?.onOneLine, notes.isEmpty ? nil : "[\(notes)]"].compactMap(\.self)
        StandardOutput.shared.line(tail.isEmpty ? head : "\(head.padded(to: 54))  \(tail.joined(separator: "  "))")
    }

    /// Prints a snapshot, one thing a line, and its turns as a table.
    static func print(_ snapshot: SessionSnapshot) {
        FactList.print([
            ("session", snapshot.session.description),
            ("version", "\(snapshot.version)"),
            ("at", snapshot.at?.description),
            ("state", snapshot.state),
            ("user", snapshot.userID),
            ("began", snapshot.startedAt?.description),
            ("ended", snapshot.endedAt?.description),
            ("turns", "\(snapshot.turns.count)"),
            ("errors", "\(snapshot.errorCount)"),
            ("anomalies", "\(snapshot.anomalies)"),
            ("cost", Figures.dollars(snapshot.totalCost, uncostedCalls: snapshot.uncostedCalls)),
            ("no numbers", snapshot.misfits == 0 ? nil : Counted.text(snapshot.misfits, "field")),
        ])
        guard !snapshot.turns.isEmpty else { return }
        StandardOutput.shared.endLine()
        TextTable<SessionSnapshot.Turn>([
            .init("turn", .right) { $0.index.map(String.init) },
            .init("status") { $0.status },
            .init("turn ms", .right) { Figures.milliseconds($0.latencyMs) },
            .init("cost", .right) { Figures.dollars($0.cost, isPartial: $0.uncostedCalls > 0) },
            .init("user", isFlexible: true) { $0.userTranscript?.cut(to: 60) },
            .init("agent", isFlexible: true) { ($0.spokenText ?? $0.llmResponse)?.cut(to: 60) },
        ]).print(snapshot.turns)
    }

    /// Writes a frame's fields.
    static func write(_ frame: ReplayFrame, to line: inout JSONLine) {
        line.field("version", frame.version)
        line.field("type", frame.type.name)
        line.field("at", frame.at)
        line.field("offsetMs", frame.offset / .milliseconds(1))
        line.field("state", frame.state)
        line.field("turnIndex", frame.turnIndex)
        line.field("speaker", frame.speaker.rawValue)
        line.field("text", frame.text)
        line.object("latenciesMs") { line in
            for latency in frame.latencies { line.field(latency.name, latency.milliseconds) }
        }
        line.field("cost", frame.cost)
        line.field("costSoFar", frame.costSoFar)
        line.field("uncostedCallsSoFar", frame.uncostedCalls)
        if !frame.erased.isEmpty { line.field("erased", JSONValue.array(frame.erased.map { .string($0) })) }
        if !frame.misfits.isEmpty { line.field("misfits", JSONValue.array(frame.misfits.map { .string($0) })) }
    }

    /// Writes a snapshot's fields.
    static func write(_ snapshot: SessionSnapshot, to line: inout JSONLine) {
        line.field("session", snapshot.session.description)
        line.field("version", snapshot.version)
        line.field("at", snapshot.at)
        line.field("state", snapshot.state)
        line.field("userId", snapshot.userID)
        line.field("asrProvider", snapshot.asrProvider)
        line.field("llmProvider", snapshot.llmProvider)
        line.field("ttsProvider", snapshot.ttsProvider)
        line.field("startedAt", snapshot.startedAt)
        line.field("endedAt", snapshot.endedAt)
        line.field("errorCount", snapshot.errorCount)
        line.field("anomalies", snapshot.anomalies)
        line.field("totalCost", snapshot.totalCost)
        line.field("uncostedCalls", snapshot.uncostedCalls)
        if snapshot.misfits > 0 { line.field("misfits", snapshot.misfits) }
        line.objects("turns", snapshot.turns) { line, turn in
            line.field("turnId", turn.id)
            line.field("turnIndex", turn.index)
            line.field("status", turn.status)
            line.field("startedAt", turn.startedAt)
            line.field("userTranscript", turn.userTranscript)
            line.field("llmResponse", turn.llmResponse)
            line.field("spokenText", turn.spokenText)
            line.field("interrupted", turn.interrupted)
            line.field("firstTokenMs", turn.firstTokenMs)
            line.field("latencyMs", turn.latencyMs)
            line.field("cost", turn.cost)
            line.field("uncostedCalls", turn.uncostedCalls)
            line.field("errorType", turn.errorType)
        }
    }
}
