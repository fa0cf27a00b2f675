internal import Postgres

/// `rebuild`: `recorder projections rebuild` of the five read models, in one reading of the log, against
/// SQL that builds them in a statement each.
struct RebuildBenchmark: Benchmark {
    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let (count, rounds) = try await ProjectionDatabase.with(run) { database in
            let rounds = try await run.rounds("rebuild") {
                try await database.forget()
                return try await Self.run(run.options.program, database.configuration).duration
            } against: {
                try await database.limit()
            }
            return (Double(database.events), rounds)
        }
        return [
            Measurement(
                "rebuild",
                unit: "events/s",
                higherIsBetter: true,
                rounds: rounds.map { (count / $0.value.seconds, $0.limit) },
                settings: [
                    "events": "\(Int(count))", "models": "5, in one reading",
                    "limit": "INSERT … SELECT … GROUP BY for each read model, from jsonb",
                ]
            )
        ]
    }

    /// Rebuilds the read models.
    static func run(_ program: String, _ database: PostgresConfiguration) async throws -> MeasuredProcess {
        try await MeasuredProcess.run(
            [program, "projections", "rebuild"] + ProjectionDatabase.readModels
                + ["--accept-differences", "--database-url", database.url]
        )
    }
}
