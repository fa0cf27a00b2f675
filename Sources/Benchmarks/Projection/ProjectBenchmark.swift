internal import Postgres

/// `project`: `recorder project --until-caught-up` as a process, all projections on empty tables, against
/// SQL that builds the five read models in a statement each.
struct ProjectBenchmark: Benchmark {
    /// How many workers the process has: one for each of the two cores that the targets are set for.
    static let workers = 2

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        try await ProjectionDatabase.measure(
            "project",
            in: run,
            settings: ["workers": "\(Self.workers)", "shards": "16"],
            Self.run
        )
    }

    /// Projects a whole log.
    static func run(_ program: String, _ database: PostgresConfiguration) async throws -> MeasuredProcess {
        try await MeasuredProcess.run([
            program, "project", "--until-caught-up", "--workers", "\(workers)", "--database-url", database.url,
        ])
    }
}
