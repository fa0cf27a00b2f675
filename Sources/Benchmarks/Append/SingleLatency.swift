internal import EventModel
internal import EventStore
internal import Postgres

/// `latency.single`: how long one producer waits for each acknowledgement,
/// against an INSERT and commit on one connection.
struct SingleLatency: Benchmark {
    private static let events = 3_000

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let lines = Array(run.input.lines.prefix(Self.events))
        let rows = try PlainTable.rows(lines)
        let rounds = try await run.rounds("latency.single") {
            try await run.server.withDatabase(.recorder) { database in
                try await PostgresEventStore.with(database) { store in
                    try await store.withAppender { appender in
                        var waits: [Double] = []
                        for line in lines {
                            let start = ContinuousClock.now
                            _ = try await appender.append(try Append(line))
                            waits.append(start.duration(to: .now) / .milliseconds(1))
                        }
                        return waits.sorted()
                    }
                }
            }
        } against: {
            try await run.server.withDatabase(.empty) { database in
                try await PostgresConnection.with(database) { connection in
                    try await PlainTable.create(on: connection)
                    var waits: [Double] = []
                    for row in rows {
                        let start = ContinuousClock.now
                        try await connection.execute(PlainTable.Insert(row: row))
                        waits.append(start.duration(to: .now) / .milliseconds(1))
                    }
                    return waits.sorted()
                }
            }
        }
        return Measurement.percentiles(
            "latency.single",
            of: rounds.map(\.value),
            limits: rounds.map(\.limit),
            settings: ["producers": "1", "events": "\(lines.count)", "limit": "INSERT and commit, one connection"]
        )
    }
}
