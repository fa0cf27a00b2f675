/// `append.closed-loop`: producers that wait for each acknowledgement, against
/// as many clients with one-row transactions.
struct ClosedLoopAppend: Benchmark {
    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        [try await PlainClients.measure("append.closed-loop", clients: run.options.producers, in: run)]
    }
}
