internal import Postgres

/// `import`: `recorder import` of a file as a process, against a COPY of the same events as `jsonb`.
struct ImportBenchmark: Benchmark {
    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let rows = try PlainTable.rows(run.input.lines)
        let count = Double(rows.count)
        let rounds = try await InputFile.with(run.input.lines.forEach) { path in
            try await run.rounds("import") {
                try await run.server.withDatabase(.recorder) { database in
                    count / (try await Self.run(run.options.program, path, into: database)).duration.seconds
                }
            } against: {
                try await PlainTable.copyRate(of: rows, on: run.server)
            }
        }
        return [
            .rate("import", rounds, settings: ["events": "\(rows.count)", "limit": PlainTable.copyName])
        ]
    }

    /// Imports a file.
    static func run(
        _ program: String,
        _ path: String,
        into database: PostgresConfiguration
    ) async throws -> MeasuredProcess {
        try await MeasuredProcess.run([program, "import", path, "--database-url", database.url])
    }
}
