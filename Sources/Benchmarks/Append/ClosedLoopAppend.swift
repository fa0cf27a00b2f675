internal import Postgres

/// `append.closed-loop`: producers that wait for each acknowledgement, against as many clients with one-row transactions.
struct ClosedLoopAppend: Benchmark {
    /// The clients of the limit are slow: so many events are enough.
    private static let mostEvents = 30_000

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let producers = run.options.producers
        let shares = run.input.shares(producers).map { Array($0.prefix(Self.mostEvents / producers)) }
        let rows = try shares.map { try PlainTable.rows($0) }
        let count = Double(shares.reduce(0) { $0 + $1.count })
        let rounds = try await run.rounds("append.closed-loop") {
            try await run.server.withDatabase(.recorder) { database in
                count / (try await Producers.append(shares, inFlight: 1, to: database)).seconds
            }
        } against: {
            try await run.server.withDatabase(.empty) { database in
                count / (try await PlainClients.insert(rows, into: database)).seconds
            }
        }
        return [
            Measurement(
                "append.closed-loop",
                unit: "events/s",
                higherIsBetter: true,
                rounds: rounds.map { ($0.value, $0.limit) },
                settings: [
                    "producers": "\(producers)", "events": "\(Int(count))",
                    "limit": "one-row INSERT transactions of \(producers) clients",
                ]
            )
        ]
    }
}

/// Clients without a recorder, each with a connection of its own.
enum PlainClients {
    /// Stores rows one by one, each client its own.
    ///
    /// - Returns: How long it took.
    static func insert(_ rows: [[PlainTable.Row]], into database: PostgresConfiguration) async throws -> Duration {
        var connections: [PostgresConnection] = []
        for _ in rows { connections.append(try await PostgresConnection.connect(database)) }
        try await PlainTable.create(on: connections[0])
        let duration = try await ContinuousClock().measure {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (rows, connection) in zip(rows, connections) {
                    group.addTask {
                        for row in rows { try await connection.execute(PlainTable.Insert(row: row)) }
                    }
                }
                try await group.waitForAll()
            }
        }
        for connection in connections { await connection.close() }
        return duration
    }
}
