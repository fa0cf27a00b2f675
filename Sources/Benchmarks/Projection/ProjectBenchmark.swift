internal import Postgres

/// `project`: `recorder project --until-caught-up` as a process, all projections on empty tables, against
/// SQL that builds the five read models in a statement each.
struct ProjectBenchmark: Benchmark {
    /// How many workers the process has: one for each of the two cores that the targets are set for.
    static let workers = 2

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let (count, rounds) = try await ProjectionDatabase.with(run) { database in
            let rounds = try await run.rounds("project") {
                try await database.forget()
                return try await Self.run(run.options.program, database.configuration).duration
            } against: {
                try await database.limit()
            }
            return (Double(database.events), rounds)
        }
        return [
            Measurement(
                "project",
                unit: "events/s",
                higherIsBetter: true,
                rounds: rounds.map { (count / $0.value.seconds, $0.limit) },
                settings: [
                    "events": "\(Int(count))", "workers": "\(Self.workers)", "shards": "16",
                    "limit": "INSERT … SELECT … GROUP BY for each read model, from jsonb",
                ]
            )
        ]
    }

    /// Projects what a log holds.
    static func run(_ program: String, _ database: PostgresConfiguration) async throws -> MeasuredProcess {
        try await MeasuredProcess.run([
            program, "project", "--until-caught-up", "--workers", "\(workers)", "--database-url", database.url,
        ])
    }
}
