internal import Postgres

/// Producers that wait for each acknowledgement, whether the recorder's or its limit's.
struct ClosedLoop {
    /// Each producer's lines.
    let shares: [[BenchmarkInput.Line]]
    /// How many lines there are.
    let count: Double

    /// The limits are slow, so this many events are enough for all producers together, and for each.
    private static let mostEvents = (all: 60_000, each: 2_000)

    init(producers: Int, in run: BenchmarkRun) {
        let most = max(1, min(Self.mostEvents.all / producers, Self.mostEvents.each))
        shares = run.input.shares(producers).map { Array($0.prefix(most)) }
        count = Double(shares.reduce(0) { $0 + $1.count })
    }

    /// Measures the recorder beside something else with as many producers.
    ///
    /// - Parameters:
    ///   - name: The measurement's name.
    ///   - limit: What the recorder is compared with.
    ///   - other: One round of it; returns how long it took.
    func measure(
        _ name: String,
        against limit: String,
        in run: BenchmarkRun,
        _ other: (PostgresConfiguration) async throws -> Duration
    ) async throws -> Measurement {
        let rounds = try await run.rounds(name) {
            try await run.server.withDatabase(.recorder) { database in
                count / (try await Producers.duration(of: shares, inFlight: 1, to: database)).seconds
            }
        } against: {
            try await run.server.withDatabase(.empty) { database in count / (try await other(database)).seconds }
        }
        return .rate(
            name,
            rounds,
            settings: ["producers": "\(shares.count)", "events": "\(Int(count))", "limit": limit]
        )
    }
}
