import Foundation
import Operations
import Postgres
import RecorderTesting
import Testing

/// Producers, projectors and the server are killed, stopped and cut off under
/// load; nothing may be lost, doubled or wrong.
@Suite(.serialized) struct FaultTests {
    @Test func `a seed fixes the plan, and every kind of fault is in it`() {
        let plan = FaultPlan(seed: 7, length: .seconds(20))
        #expect(plan == FaultPlan(seed: 7, length: .seconds(20)))
        #expect(plan.faults != FaultPlan(seed: 8, length: .seconds(20)).faults)
        let names = Set(plan.faults.map { "\($0.kind)".prefix { $0 != "(" } })
        #expect(names.count == 12)
        #expect(plan.faults.map(\.at) == plan.faults.map(\.at).sorted())
        #expect(plan.faults.allSatisfy { $0.at < plan.length })
        #expect(FaultPlan(seed: 7, length: .seconds(600)).faults.count == plan.faults.count * 30)
    }

    @Test(.timeLimit(.minutes(40)))
    func `whatever is killed, stopped, cut off or refused: acknowledged is stored, and stored is projected`()
        async throws
    {
        let environment = ProcessInfo.processInfo.environment
        let seconds = environment["SOAK_SECONDS"].flatMap { Int($0) } ?? 20
        let seed = environment["FAULT_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999)
        let rate = environment["FAULT_RATE"].flatMap { Int($0) } ?? (seconds > 60 ? 150 : 300)
        let plan = FaultPlan(seed: seed, length: .seconds(seconds))
        Journal.line("FAULT_SEED=\(seed) SOAK_SECONDS=\(seconds): \(plan.faults.count) faults")
        for fault in plan.faults { Journal.line("  \(fault)") }
        // A producer that was killed must not take the test with it.
        signal(SIGPIPE, SIG_IGN)
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-faults-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let differences = try await withTestServer { server in
            try await Self.prepare(server.url())
            let run = FaultRun(plan, on: server, folder: folder)
            try await run.run(rate: rate)
            var oracle = ConsistencyOracle(run, folder: folder)
            try await oracle.ask()
            return Self.tell(run, oracle)
        }
        #expect(
            differences.isEmpty,
            "FAULT_SEED=\(seed): \(differences.prefix(20).joined(separator: "\n")); see \(folder.path)"
        )
        if differences.isEmpty { try FileManager.default.removeItem(at: folder) }
    }

    private static func prepare(_ url: String) async throws {
        let migrated = try await RecorderCommand.run("migrate", "up", databaseURL: url)
        try #require(migrated.status == 0, "\(migrated.errors)")
        let installed = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: url)
        try #require(installed.status == 0, "\(installed.errors)")
        guard SharedData.folder != nil else { return }
        let prices = try SharedData.prices().path(percentEncoded: false)
        let loaded = try await RecorderCommand.run("prices", "load", prices, databaseURL: url)
        try #require(loaded.status == 0, "\(loaded.errors)")
    }

    /// Prints what was done and seen.
    ///
    /// - Returns: All differences.
    private static func tell(_ run: FaultRun, _ oracle: ConsistencyOracle) -> [String] {
        let report = run.report
        let differences = report.differences + oracle.differences
        let producers = run.producers.map(\.report)
        Journal.line(
            """
            seed \(run.plan.seed): \(oracle.events) events stored, \(oracle.acknowledged) acknowledged, \
            \(producers.reduce(0) { $0 + $1.repeated.count }) of them again after a kill, \
            \(oracle.unread) of these after one between commit and acknowledgement
            faults: \(counts(report.faults))
            processes started: \(producers.reduce(0) { $0 + $1.starts }) producers, \
            \(run.projectors.reduce(0) { $0 + $1.starts }) projectors; projectors that ended by themselves: \
            \(run.projectors.flatMap(\.exits))
            take-over: \(figures(report.takeovers)); with other faults meanwhile: \(figures(report.disturbedTakeovers))
            stopped for good: \(report.poisoned.count) streams; refused, then retried: \(report.refused.count) streams; \
            rebuilt: \(counts(report.rebuilds)); \
            killed in the middle and resumed: \(report.resumed)
            \(oracle.rows) rows of read models compared
            """
        )
        for difference in differences.prefix(20) { Journal.line("DIFFERENCE \(difference)") }
        Journal.line("\(differences.count) differences")
        return differences
    }

    private static func counts(_ counts: [String: Int]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private static func figures(_ times: [Duration]) -> String {
        guard let longest = times.max() else { return "none" }
        let median = times.sorted()[times.count / 2]
        return "\(times.count), median \(Figure.seconds(median)), longest \(Figure.seconds(longest))"
    }
}
