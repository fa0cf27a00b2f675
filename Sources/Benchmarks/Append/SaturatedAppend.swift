internal import Postgres

/// `append.saturated`: many producers with 16 single events in flight each,
/// against a COPY of the same events as `jsonb`.
struct SaturatedAppend: Benchmark {
    static let inFlight = 16

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let shares = run.input.shares(run.options.producers)
        let rows = try PlainTable.rows(run.input.lines)
        let count = Double(rows.count)
        let rounds = try await run.rounds("append.saturated") {
            try await run.server.withDatabase(.recorder) { database in
                count / (try await Producers.duration(of: shares, inFlight: Self.inFlight, to: database)).seconds
            }
        } against: {
            try await PlainTable.copyRate(of: rows, on: run.server)
        }
        return [
            .rate(
                "append.saturated",
                rounds,
                settings: [
                    "producers": "\(run.options.producers)", "inFlight": "\(Self.inFlight)", "events": "\(rows.count)",
                    "limit": PlainTable.copyName,
                ]
            )
        ]
    }
}
