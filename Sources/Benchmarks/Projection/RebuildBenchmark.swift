internal import Postgres

/// `rebuild` and `memory.rebuild`: `recorder projections rebuild` of each of the five read models, one after another, against
/// SQL that builds them in a statement each.
struct RebuildBenchmark: Benchmark {
    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let (count, rounds) = try await ProjectionDatabase.with(run) { database in
            let rounds = try await run.rounds("rebuild") {
                try await database.forget()
                var duration = Duration.zero
                var peakMemory = 0
                for name in ProjectionDatabase.readModels {
                    let process = try await MeasuredProcess.run([
                        run.options.program, "projections", "rebuild", name, "--accept-differences",
                        "--database-url", database.configuration.url,
                    ])
                    duration += process.duration
                    peakMemory = max(peakMemory, process.peakMemory)
                }
                return (duration, peakMemory)
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
                rounds: rounds.map { (count / $0.value.0.seconds, $0.limit) },
                settings: [
                    "events": "\(Int(count))", "models": "5, one after another",
                    "limit": "INSERT … SELECT … GROUP BY for each read model, from jsonb",
                ]
            ),
            Measurement(
                "memory.rebuild",
                unit: "MB",
                higherIsBetter: false,
                rounds: rounds.map { (Double($0.value.1) / 1e6, nil) },
                settings: ["events": "\(Int(count))"]
            ),
        ]
    }
}
