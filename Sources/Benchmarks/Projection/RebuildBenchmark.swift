internal import Postgres

/// `rebuild`: `recorder projections rebuild` of each of the five read models, one after another, against
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
                    "events": "\(Int(count))", "models": "5, one after another",
                    "limit": "INSERT … SELECT … GROUP BY for each read model, from jsonb",
                ]
            )
        ]
    }

    /// Rebuilds each read model.
    ///
    /// - Returns: How long all took, and the most memory that one of them held.
    static func run(_ program: String, _ database: PostgresConfiguration) async throws -> MeasuredProcess {
        var duration = Duration.zero
        var peakMemory = 0
        for name in ProjectionDatabase.readModels {
            let process = try await MeasuredProcess.run([
                program, "projections", "rebuild", name, "--accept-differences", "--database-url", database.url,
            ])
            duration += process.duration
            peakMemory = max(peakMemory, process.peakMemory)
        }
        return MeasuredProcess(duration: duration, peakMemory: peakMemory)
    }
}
