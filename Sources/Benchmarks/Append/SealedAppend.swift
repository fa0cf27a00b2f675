internal import EventModel
internal import EventStore
internal import PayloadCodec
internal import Postgres

/// `seal.*`: the same events appended to a sealed log and to an unsealed one, in turn: saturated, one at a time, and
/// their size in bytes.
struct SealedAppend: Benchmark {
    /// The figures of one round.
    private struct Round {
        let rate: Double
        let bytes: Double
    }

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let shares = run.input.shares(run.options.producers)
        let count = run.input.lines.count
        let saturated = try await run.rounds("seal.saturated") {
            try await Self.round(shares, inFlight: SaturatedAppend.inFlight, count, isSealed: true, on: run.server)
        } against: {
            try await Self.round(shares, inFlight: SaturatedAppend.inFlight, count, isSealed: false, on: run.server)
        }
        let few = [Array(run.input.lines.prefix(2_000))]
        let single = try await run.rounds("seal.single") {
            try await Self.round(few, inFlight: 1, few[0].count, isSealed: true, on: run.server)
        } against: {
            try await Self.round(few, inFlight: 1, few[0].count, isSealed: false, on: run.server)
        }
        let settings = ["events": "\(count)", "limit": "the same events, not sealed"]
        return [
            .rate("seal.saturated", saturated.map { ($0.value.rate, $0.limit.rate) }, settings: settings),
            .rate("seal.single", single.map { ($0.value.rate, $0.limit.rate) }, settings: settings),
            Measurement(
                "seal.payload",
                unit: "bytes/event",
                higherIsBetter: false,
                rounds: saturated.map { ($0.value.bytes, $0.limit.bytes) },
                settings: settings
            ),
        ]
    }

    private static func round(
        _ shares: [[BenchmarkInput.Line]],
        inFlight: Int,
        _ count: Int,
        isSealed: Bool,
        on server: BenchmarkServer
    ) async throws -> Round {
        try await server.withDatabase(.recorder) { database in
            let keys = isSealed ? SealingKeys([LocalKeyEncryptionKey()]) : .none
            return try await PostgresPool.with(database, limits: .init(size: 1)) { pool in
                if isSealed { _ = try await KeyAdministration(pool, keys: keys).initialise() }
                let duration = try await Producers.duration(of: shares, inFlight: inFlight, keys: keys, to: database)
                return Round(
                    rate: Double(count) / duration.seconds,
                    bytes: try await pool.first(MeanPayload()) ?? 0
                )
            }
        }
    }

    private struct MeanPayload: PostgresStatement {
        let sql = """
            select avg(octet_length(payload))::double precision from events
            where type <> (select id from event_types where name = '\(Producers.openingType)')
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Double { try row.decode(at: 0) }
    }
}
