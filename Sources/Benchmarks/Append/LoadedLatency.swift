internal import EventStore
internal import Postgres

/// `latency.loaded`: how long acknowledgements take while events come at half the rate that the appender can take.
///
/// Events are sent when they are due, whether or not the ones before were acknowledged, and waits count from that
/// moment.
struct LoadedLatency: Benchmark {
    private static let inFlight = 16

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let shares = run.input.shares(run.options.producers)
        let rounds = try await run.rounds("latency.loaded") {
            let top = try await run.server.withDatabase(.recorder) { database in
                Double(run.input.lines.count)
                    / (try await Producers.duration(of: shares, inFlight: Self.inFlight, to: database)).seconds
            }
            let waits = try await run.server.withDatabase(.recorder) { database in
                try await Self.waits(run.input.lines, rate: top / 2, database)
            }
            return (rate: top / 2, waits: waits)
        }
        let rate = Percentile.median(rounds.map(\.rate).sorted())
        return Measurement.percentiles(
            "latency.loaded",
            of: rounds.map(\.waits),
            settings: ["rate": "\(Int(rate)) events/s, half of what is possible"]
        )
    }

    /// How long each event waited, in milliseconds, ascending.
    private static func waits(
        _ lines: [BenchmarkInput.Line],
        rate: Double,
        _ database: PostgresConfiguration
    ) async throws -> [Double] {
        try await PostgresEventStore.with(database) { store in
            try await store.withAppender { appender in
                try await Producers.paced(lines, rate: rate, with: appender) { due, receipts in
                    let wait = due.duration(to: .now) / .milliseconds(1)
                    return Array(repeating: wait, count: receipts.count)
                }
            }
        }.sorted()
    }
}
