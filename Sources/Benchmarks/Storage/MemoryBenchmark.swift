internal import Postgres

/// `memory.import`, `memory.project`, `memory.rebuild` and `memory.replay`: the most memory that a process holds at
/// once while it imports a file of events, projects them all, rebuilds the read models together, and reads every
/// session whole.
///
/// The number of events may differ from that of the other measurements, and this process does not hold them.
struct MemoryBenchmark: Benchmark {
    /// The peaks of one round, in bytes.
    private struct Peaks {
        let importing: Int
        let projecting: Int
        let rebuilding: Int
        let replaying: Int
    }

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let count = run.options.memoryEvents ?? run.input.lines.count
        let rounds = try await InputFile.with { write in
            try run.input.forEach(count, write)
        } _: { path in
            try await run.rounds("memory") {
                try await run.server.withDatabase(.recorder) { database in
                    try await Self.peaks(run.options.program, path, database)
                }
            }
        }
        let figures: [(name: String, peak: (Peaks) -> Int, settings: [String: String])] = [
            ("import", \.importing, [:]),
            ("project", \.projecting, ["workers": "\(ProjectBenchmark.workers)"]),
            ("rebuild", \.rebuilding, ["models": "5, in one reading"]),
            ("replay", \.replaying, [:]),
        ]
        return figures.map { figure in
            Measurement(
                "memory.\(figure.name)",
                unit: "MB",
                higherIsBetter: false,
                rounds: rounds.map { (Double(figure.peak($0)) / 1e6, nil) },
                settings: figure.settings.merging(["events": "\(count)"]) { $1 }
            )
        }
    }

    /// Runs the program for each of its tasks, on a database that is empty at first.
    private static func peaks(
        _ program: String,
        _ path: String,
        _ database: PostgresConfiguration
    ) async throws -> Peaks {
        let importing = try await ImportBenchmark.run(program, path, into: database)
        try await PostgresConnection.with(database) { try await $0.run(unsafeSQL: "vacuum analyze events") }
        return Peaks(
            importing: importing.peakMemory,
            projecting: try await ProjectBenchmark.run(program, database).peakMemory,
            rebuilding: try await RebuildBenchmark.run(program, database).peakMemory,
            replaying: try await MeasuredProcess.run(
                [program, "bench", "--replay-whole-log", "--database-url", database.url]
            ).peakMemory
        )
    }
}
