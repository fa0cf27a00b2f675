internal import EventStore
internal import Postgres
internal import Synchronization

/// `visible.5k`: from acknowledgements to the read model, while 5,000 events a second are appended and all projections
/// are at work.
///
/// An event counts as visible when a reader that polls all the time finds that the projection of sessions has committed
/// as many events as the log holds up to it.
struct LoadedVisibleBenchmark: Benchmark {
    private static let rate = 5_000
    private static let seconds = 4
    /// How long the reader pauses between two looks, which is the most that it adds to a wait.
    private static let pause = Duration.microseconds(300)
    /// The share of the waits, from the first on, that is left out.
    private static let warmUp = 0.25

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let lines = Array(run.input.lines.prefix(Self.rate * Self.seconds))
        let rounds = try await run.rounds("visible.5k") {
            try await run.server.withDatabase(.recorder) { database in
                try await ProjectorTask.with(database) { try await Self.waits(lines, database) }
            }
        }
        return Measurement.percentiles(
            "visible.5k",
            of: rounds,
            settings: ["rate": "\(Self.rate) events/s", "events": "\(lines.count)"]
        )
    }

    /// One look of the reader: when, and how many events the read model held.
    private struct Look {
        let time: ContinuousClock.Instant
        let events: Int
    }

    /// Whether the reader is to stop without having seen everything.
    private final class End: Sendable {
        let isReached = Atomic(false)
    }

    private static func waits(
        _ lines: [BenchmarkInput.Line],
        _ database: PostgresConfiguration
    ) async throws -> [Double] {
        let end = End()
        async let looks = look(until: lines.count, end, database)
        var acknowledged: [(position: Int64, time: ContinuousClock.Instant)]
        do {
            acknowledged = try await append(lines, to: database)
        } catch {
            end.isReached.store(true, ordering: .releasing)
            throw error
        }
        acknowledged.sort { $0.position < $1.position }
        var seen = try await looks[...]
        var waits: [Double] = []
        for (index, event) in acknowledged.enumerated() {
            while let look = seen.first, look.events <= index { seen.removeFirst() }
            guard let look = seen.first else { break }
            waits.append(max(0, event.time.duration(to: look.time) / .milliseconds(1)))
        }
        return waits.dropFirst(Int(warmUp * Double(waits.count))).sorted()
    }

    private static func look(
        until count: Int,
        _ end: End,
        _ database: PostgresConfiguration
    ) async throws -> [Look] {
        try await PostgresConnection.with(database) { connection in
            var looks: [Look] = []
            let began = ContinuousClock.now
            while looks.last?.events ?? 0 < count, !end.isReached.load(ordering: .acquiring) {
                try BenchmarkError.checkMoving(since: looks.last?.time ?? began)
                let events = try await connection.first(EventsProjected()) ?? 0
                if events > looks.last?.events ?? 0 { looks.append(Look(time: .now, events: events)) }
                try await Task.sleep(for: pause, tolerance: .zero)
            }
            return looks
        }
    }

    /// Appends at the rate, whether or not the events before are acknowledged.
    private static func append(
        _ lines: [BenchmarkInput.Line],
        to database: PostgresConfiguration
    ) async throws -> [(position: Int64, time: ContinuousClock.Instant)] {
        try await PostgresEventStore.with(database) { store in
            try await store.withAppender { appender in
                try await Producers.paced(lines, rate: Double(rate), with: appender) { _, receipts in
                    let now = ContinuousClock.now
                    return receipts.flatMap { receipt in receipt.positions.map { ($0, now) } }
                }
            }
        }
    }

    private struct EventsProjected: PostgresStatement {
        let sql = """
            select coalesce(sum(events), 0)::bigint from projection_checkpoints where projection = 'conversation_sessions'
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int { try row.decode(at: 0) }
    }
}
