/// One or more measurements that are made together.
protocol Benchmark: Sendable {
    /// Measures, in as many rounds as the run asks for.
    ///
    /// - Throws: Any error; nothing was measured then.
    func measure(in run: BenchmarkRun) async throws -> [Measurement]
}

/// A group of benchmarks that can be run by name.
package enum BenchmarkGroup: String, CaseIterable, Sendable {
    case append, seal, latency, `import`, visible, project, rebuild, replay, size, memory, cache, limits
    case aged, peers, notify, connections

    /// The groups that `all` measures; the others take too long, or answer a question that is asked only once.
    package static let all = allCases.filter { ![.aged, .peers, .notify, .connections].contains($0) }

    /// The group's benchmarks.
    var benchmarks: [any Benchmark] {
        switch self {
        case .append: [SaturatedAppend(), ClosedLoopAppend()]
        case .seal: [SealedAppend()]
        case .latency: [SingleLatency(), LoadedLatency()]
        case .import: [ImportBenchmark()]
        case .visible: [VisibleBenchmark(), LoadedVisibleBenchmark()]
        case .project: [ProjectBenchmark()]
        case .rebuild: [RebuildBenchmark()]
        case .replay: [ReplayBenchmark()]
        case .size: [SizeBenchmark()]
        case .memory: [MemoryBenchmark()]
        case .cache: [MemoryHits(), TableHits()]
        case .limits: [LimitDecisions()]
        case .aged: [AgedAppend()]
        case .peers: [PeerInserts(), PeerEventsourcing()]
        case .notify: [NotifyBenchmark()]
        case .connections: [ConnectionsBenchmark()]
        }
    }
}
