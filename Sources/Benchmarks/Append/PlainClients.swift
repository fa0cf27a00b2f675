internal import Postgres

/// Clients without a recorder, each with a connection of its own.
enum PlainClients {
    /// Measures the recorder beside clients that store each row in a transaction of its own.
    static func measure(_ name: String, clients: Int, in run: BenchmarkRun) async throws -> Measurement {
        let loop = ClosedLoop(producers: clients, in: run)
        let rows = try loop.shares.map { try PlainTable.rows($0) }
        let limit = "one-row INSERT transactions, clients: \(clients)"
        return try await loop.measure(name, against: limit, in: run) { try await insert(rows, into: $0) }
    }

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
