import ArgumentParser
import EventModel
import ReadModel

/// `recorder session ID`: one session with its turns.
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "Shows one session with its turns and costs.",
        discussion: """
            EXAMPLES
              recorder session 019cad8f-ac00-7e4e-a7b6-815d4e98868f
              recorder session 019cad8f-ac00-7e4e-a7b6-815d4e98868f --json | jq '.turns[].llmResponse'
            """
    )

    @Argument(help: "The session's id.")
    var id: StreamID

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let (session, turns) = try await settings.withReadModels { models in
            try await StoppedStreams.warn(of: ["conversation_sessions", "conversation_turns"], stream: id, models)
            return try await models.sessionWithTurns(id)
        }
        if options.json {
            JSONLine.print { line in
                SessionTables.write(session, to: &line)
                line.objects("turns", turns) { SessionTables.write($1, to: &$0) }
            }
        } else {
            Self.show(session)
            StandardOutput.shared.endLine()
            SessionTables.turns.print(turns)
            if let remark = Self.remark(on: session) {
                StandardOutput.shared.endLine()
                StandardOutput.shared.line(remark)
            }
        }
    }

    /// What the costs of turns do not show: the read model keeps a turn's sums, but not which calls they cover.
    private static func remark(on session: Session) -> String? {
        guard session.uncostedCalls > 0 else { return nil }
        return "costs of turns are without \(Counted.text(session.uncostedCalls, "call")) of unknown cost"
    }

    /// Prints what is known about a session, one fact a line.
    static func show(_ session: Session) {
        // A session that ended may begin again.
        let duration = session.startedAt.flatMap { start in
            session.endedAt.flatMap { $0 < start ? nil : Figures.offset($0.duration(since: start)) }
        }
        let times = session.timeInState.sorted { $0.value > $1.value }
            .compactMap { state, time in Figures.decimal(time / 1_000, digits: 1).map { "\(state) \($0) s" } }
        FactList.print([
            ("session", session.id.description),
            ("user", session.userID?.description),
            ("state", session.state),
            ("began", session.startedAt?.description),
            ("ended", session.endedAt.map { "\($0)\(duration.map { " after \($0)" } ?? "")" }),
            ("events", Counted.grouped(session.version)),
            ("turns", "\(session.totalTurns), \(session.interruptedTurns) interrupted"),
            ("errors", "\(session.errorCount)"),
            ("anomalies", "\(session.anomalies)"),
            ("mean latency", Figures.milliseconds(session.averageLatencyMs).map { "\($0) ms" }),
            ("cost", Figures.dollars(session.totalCost, uncostedCalls: session.uncostedCalls)),
            ("time in state", times.isEmpty ? nil : times.joined(separator: ", ")),
            (
                "providers",
                [session.asrProvider, session.llmProvider, session.ttsProvider].compactMap(\.self)
                    .joined(separator: " → ")
            ),
        ])
    }
}
