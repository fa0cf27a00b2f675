internal import Postgres

/// `project` and `memory.project`: `recorder project --until-caught-up` as a process, all projections on empty tables, against
/// SQL that builds the five read models in a statement each.
struct ProjectBenchmark: Benchmark {
    /// How many workers the process has: one for each of the two cores that the targets are set for.
    private static let workers = 2

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let (count, rounds) = try await ProjectionDatabase.with(run) { database in
            let rounds = try await run.rounds("project") {
                try await database.forget()
                return try await MeasuredProcess.run([
                    run.options.program, "project", "--until-caught-up", "--workers", "\(Self.workers)",
                    "--database-url", database.configuration.url,
                ])
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
                rounds: rounds.map { (count / $0.value.duration.seconds, $0.limit) },
                settings: [
                    "events": "\(Int(count))", "workers": "\(Self.workers)", "shards": "16",
                    "limit": "INSERT … SELECT … GROUP BY for each read model, from jsonb",
                ]
            ),
            Measurement(
                "memory.project",
                unit: "MB",
                higherIsBetter: false,
                rounds: rounds.map { (Double($0.value.peakMemory) / 1e6, nil) },
                settings: ["events": "\(Int(count))", "workers": "\(Self.workers)"]
            ),
        ]
    }
}
