internal import EventModel
internal import EventStore
internal import Postgres

/// `latency.loaded`: how long acknowledgements take while events come at half the rate that the appender can take.
///
/// Events are sent when they are due, whether the ones before were acknowledged or not, and a wait counts from that moment.
struct LoadedLatency: Benchmark {
    private static let inFlight = 16
    private static let tick = Duration.milliseconds(2)

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
        return [0.5, 0.99].map { part in
            Measurement(
                "latency.loaded.p\(Int(part * 100))",
                unit: "ms",
                higherIsBetter: false,
                rounds: rounds.map { (Percentile.of(part, $0.waits), nil) },
                settings: ["rate": "\(Int(rate)) events/s, half of what is possible"]
            )
        }
    }

    /// How long each event waited, in milliseconds, ascending.
    private static func waits(
        _ lines: [BenchmarkInput.Line],
        rate: Double,
        _ database: PostgresConfiguration
    ) async throws -> [Double] {
        let perTick = max(1, Int(rate * tick.seconds))
        let store = PostgresEventStore(database)
        let waits = try await store.withAppender { appender in
            try await withThrowingTaskGroup(of: [Double].self) { group in
                var due = ContinuousClock.now
                for start in stride(from: 0, to: lines.count, by: perTick) {
                    due += tick
                    try await Task.sleep(until: due, tolerance: .zero)
                    let parsed = try lines[start..<min(start + perTick, lines.count)].map { try EventLine($0.json) }
                    let sent = due
                    group.addTask {
                        for result in try await appender.append(independently: parsed) { _ = try result.get() }
                        let wait = sent.duration(to: .now) / .milliseconds(1)
                        return Array(repeating: wait, count: parsed.count)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }
        await store.close()
        return waits.sorted()
    }
}
