internal import EventStore
internal import Postgres
internal import Synchronization

/// `notify`: what it costs to wake subscribers inside the transaction of each group, at 1, 4 and 16 appenders, against
/// waking them from a separate session.
///
/// The producers wait for each acknowledgement, so that groups are small and commits many; one session listens.
struct NotifyBenchmark: Benchmark {
    private static let appenders = [1, 4, 16]

    /// Sends the notification inside the transaction, once for each statement that stores events.
    private static let notifyInside = """
        create function wake_inside() returns trigger language plpgsql as $$
        begin
            perform pg_notify(tg_table_schema || '_events', '');
            return null;
        end $$;
        create trigger wake_inside after insert on events for each statement execute function wake_inside()
        """

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        var measurements: [Measurement] = []
        for appenders in Self.appenders {
            let producers = max(run.options.producers, appenders)
            let loop = ClosedLoop(producers: producers, in: run)
            let rounds = try await run.rounds("notify.\(appenders)") {
                try await run.server.withDatabase(.recorder) { database in
                    try await PostgresConnection.with(database) { try await $0.run(unsafeSQL: Self.notifyInside) }
                    return try await Self.rate(loop, appenders, notifies: false, database)
                }
            } against: {
                try await run.server.withDatabase(.recorder) { database in
                    try await Self.rate(loop, appenders, notifies: true, database)
                }
            }
            measurements.append(
                .rate(
                    "notify.\(appenders)",
                    rounds,
                    settings: [
                        "appenders": "\(appenders)", "producers": "\(producers)", "events": "\(Int(loop.count))",
                        "value": "NOTIFY inside each group's transaction", "limit": "NOTIFY from a session beside",
                    ]
                )
            )
        }
        return measurements
    }

    private static func rate(
        _ loop: ClosedLoop,
        _ appenders: Int,
        notifies: Bool,
        _ database: PostgresConfiguration
    ) async throws -> Double {
        var limits = EventAppender.Limits()
        limits.notifies = notifies
        let (own, shares, count) = (limits, loop.shares, loop.count)
        let channel = LogChannel.name(schema: database.recorderSchema)
        var notifications = PostgresNotifications(database, channels: [channel]).makeAsyncIterator()
        _ = try await notifications.next()
        let (listening, heard) = (notifications, Heard())
        let duration = try await ProjectorTask.withTask(
            {
                var notifications = listening
                while try await notifications.next() != nil { heard.count.add(1, ordering: .relaxed) }
            },
            { try await Producers.duration(of: shares, inFlight: 1, appenders: appenders, limits: own, to: database) }
        )
        guard heard.count.load(ordering: .relaxed) > 0 else {
            throw BenchmarkError(.input, "no notification was heard, so nothing was compared: measure more --events")
        }
        return count / duration.seconds
    }

    /// How many notifications came.
    private final class Heard: Sendable {
        let count = Atomic(0)
    }
}
