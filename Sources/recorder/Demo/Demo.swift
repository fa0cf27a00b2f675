import EventModel
import EventStore
import Postgres
import Projector
import ReadModel
import Simulator

/// The steps of `recorder demo`.
struct Demo {
    /// The server that it runs on.
    let recorder: EmbeddedRecorder
    /// Whether to print JSON.
    let json: Bool

    private var settings: Settings { recorder.settings }

    // MARK: Recording

    /// Records simulated conversations through producers that run at the same time.
    ///
    /// - Returns: The sessions, the liveliest first.
    func record(sessions: Int, producers: Int, seed: UInt64) async throws -> [StreamID] {
        heading("Recording \(Counted.text(sessions, "conversation")) through \(Counted.text(producers, "producer"))")
        _ = try await settings.withReadModels { try await $0.save(DemoPrices.list()) }
        // The last conversations begin about now.
        let start = Timestamp.now().advanced(by: .seconds(-14 * sessions - 180))
        var simulator = ConversationSimulator(seed: seed, startingAt: start)
        let conversations = (0..<sessions).map { _ in simulator.nextSession() }
        let begin = ContinuousClock.now
        let events = try await settings.withStore { store in
            try await store.withAppender { appender in
                try await Self.append(conversations, producers: producers, with: appender)
            }
        }
        let seconds = begin.duration(to: .now) / .seconds(1)
        if json {
            JSONLine.print { line in
                line.field("step", "record")
                line.field("sessions", sessions)
                line.field("producers", producers)
                line.field("events", events)
                line.field("seconds", seconds)
            }
        } else {
            say(
                "\(Counted.text(events, "event")) stored and acknowledged one by one in "
                    + "\(Figures.decimal(seconds, digits: 2) ?? "?") s"
            )
        }
        return conversations.sorted { Self.liveliness($0) > Self.liveliness($1) }.map(\.session)
    }

    /// Deals the conversations out among the producers, which each wait for every acknowledgement.
    private static func append(
        _ conversations: [SimulatedSession],
        producers: Int,
        with appender: EventAppender
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for producer in 0..<producers {
                group.addTask {
                    var stored = 0
                    for index in stride(from: producer, to: conversations.count, by: producers) {
                        for line in conversations[index].events {
                            let append = Append(
                                stream: line.stream,
                                expectedVersion: line.expectedVersion,
                                events: [line.event]
                            )
                            stored += try await appender.append(append).positions.count
                        }
                    }
                    return stored
                }
            }
            return try await group.reduce(0, +)
        }
    }

    /// How much there is to see in a conversation: barge-ins, failures and retrievals, in few events.
    private static func liveliness(_ conversation: SimulatedSession) -> Double {
        let types = conversation.events.map(\.event.type)
        let interesting = types.count { $0 == .turnInterrupted || $0 == .turnFailed || $0 == .turnRetrieved }
        return Double(interesting) / Double(types.count + 60)
    }

    // MARK: Projecting

    /// Builds the read models.
    func project() async throws {
        heading("Projecting the log into read models")
        let begin = ContinuousClock.now
        let events = try await recorder.projector.runUntilCaughtUp()
        let seconds = begin.duration(to: .now) / .seconds(1)
        if json {
            JSONLine.print { line in
                line.field("step", "project")
                line.field("events", events)
                line.field("seconds", seconds)
            }
        } else {
            say("\(Counted.text(events, "event")) folded in \(Figures.decimal(seconds, digits: 2) ?? "?") s")
        }
    }

    // MARK: Showing

    /// Shows what the read models hold, and replays the liveliest session.
    func show(_ recorded: [StreamID], speed: Double) async throws {
        guard let chosen = recorded.first else { return }
        let prices = try await settings.withReadModels { models in
            heading("Sessions, newest first")
            SessionTables.sessions.print(try await models.sessions(SessionFilter(limit: 15)), json: json) {
                SessionTables.write($1, to: &$0)
            }
            heading("One session, turn by turn")
            if !json {
                SessionCommand.show(try await models.session(chosen))
                say()
            }
            SessionTables.turns.print(try await models.turns(of: chosen), json: json) {
                SessionTables.write($1, to: &$0)
            }
            heading("Latency percentiles of all sessions")
            let usual = PercentileList.usual
            let summaries = try await models.latency(of: LatencyStage.allCases, percentiles: usual.values)
            LatencyTables.summaries(usual).print(summaries, json: json) { LatencyTables.write($1, usual, to: &$0) }
            heading("Costs of all sessions")
            let dimensions: [CostDimension] = [.stage, .provider, .model]
            CostTable.sums(by: dimensions).print(try await models.costs(by: dimensions), json: json) {
                CostTable.write($1, by: dimensions, to: &$0)
            }
            return try await models.prices()
        }
        heading(
            "Replaying session \(chosen)"
                + (speed > 0
                    ? ", \(Figures.decimal(speed, digits: speed == speed.rounded() ? 0 : 1) ?? "?") times as fast" : "")
        )
        try await settings.withStore { store in
            try await SessionPlayer(session: chosen, prices: prices, store: store).play(speed: speed, json: json)
        }
    }

    /// Follows one user from the first day to the last.
    func journey() async throws {
        heading("One user, from the first day to the last")
        try await DemoJourney(recorder: recorder, json: json).run()
    }

    /// Says what to try next.
    func farewell(_ recorded: [StreamID]) {
        guard let chosen = recorded.first, !json else { return }
        heading("To go on")
        say("recorder dev                    runs this server; then, from this directory:")
        say("recorder replay \(chosen) --until 40")
        say("recorder latency --stage turn --series 5m")
    }

    private func heading(_ text: String) {
        guard !json else { return }
        say()
        say("== \(text)")
        try? StandardOutput.shared.flush()
    }

    private func say(_ text: String = "") { StandardOutput.shared.line(text) }
}
