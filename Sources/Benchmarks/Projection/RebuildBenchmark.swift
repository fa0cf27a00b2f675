internal import Postgres

/// `rebuild`: `recorder projections rebuild` of the five read models, in one reading of the log, against
/// SQL that builds them in a statement each.
struct RebuildBenchmark: Benchmark {
    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        try await ProjectionDatabase.measure(
            "rebuild",
            in: run,
            settings: ["models": "5, in one reading"],
            Self.run
        )
    }

    /// Rebuilds the read models.
    static func run(_ program: String, _ database: PostgresConfiguration) async throws -> MeasuredProcess {
        try await MeasuredProcess.run(
            [program, "projections", "rebuild"] + ProjectionDatabase.readModels
                + ["--accept-differences", "--database-url", database.url]
        )
    }
}
