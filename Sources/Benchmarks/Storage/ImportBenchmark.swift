internal import Postgres

/// `import` and `memory.import`: `recorder import` of a file as a process, against a COPY of the same events as `jsonb`.
struct ImportBenchmark: Benchmark {
    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let rows = try PlainTable.rows(run.input.lines)
        let count = Double(rows.count)
        let rounds = try await InputFile.with(run.input) { path in
            try await run.rounds("import") {
                try await run.server.withDatabase(.recorder) { database in
                    try await MeasuredProcess.run(
                        [run.options.program, "import", path, "--database-url", database.url]
                    )
                }
            } against: {
                try await run.server.withDatabase(.empty) { database in
                    let connection = try await PostgresConnection.connect(database)
                    try await PlainTable.create(on: connection)
                    let duration = try await ContinuousClock().measure {
                        try await PlainTable.copy(rows, on: connection)
                    }
                    await connection.close()
                    return count / duration.seconds
                }
            }
        }
        return [
            Measurement(
                "import",
                unit: "events/s",
                higherIsBetter: true,
                rounds: rounds.map { (count / $0.value.duration.seconds, $0.limit) },
                settings: ["events": "\(rows.count)", "limit": "COPY binary as jsonb, 10,000 rows a transaction"]
            ),
            Measurement(
                "memory.import",
                unit: "MB",
                higherIsBetter: false,
                rounds: rounds.map { (Double($0.value.peakMemory) / 1e6, nil) },
                settings: ["events": "\(rows.count)"]
            ),
        ]
    }
}
