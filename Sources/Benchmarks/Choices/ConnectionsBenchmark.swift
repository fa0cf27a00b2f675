internal import EventStore

/// `connections`: the rate of a saturated appender with 1, 2, 3 and 4 connections, against its default.
struct ConnectionsBenchmark: Benchmark {
    private static let connections = 1...4

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let shares = run.input.shares(run.options.producers)
        let usual = EventAppender.Limits()
        var measurements: [Measurement] = []
        for connections in Self.connections {
            let name = "connections.\(connections)"
            let rounds = try await run.rounds(name) {
                try await Self.rate(shares, EventAppender.Limits(connections: connections), in: run)
            } against: {
                try await Self.rate(shares, usual, in: run)
            }
            measurements.append(
                .rate(
                    name,
                    rounds,
                    settings: [
                        "connections": "\(connections)", "producers": "\(run.options.producers)",
                        "inFlight": "\(SaturatedAppend.inFlight)", "events": "\(run.input.lines.count)",
                        "limit": "\(usual.connections) connections, the default",
                    ]
                )
            )
        }
        return measurements
    }

    private static func rate(
        _ shares: [[BenchmarkInput.Line]],
        _ limits: EventAppender.Limits,
        in run: BenchmarkRun
    ) async throws -> Double {
        try await run.server.withDatabase(.recorder) { database in
            let duration = try await Producers.duration(
                of: shares,
                inFlight: SaturatedAppend.inFlight,
                limits: limits,
                to: database
            )
            return Double(run.input.lines.count) / duration.seconds
        }
    }
}
