import Foundation
import Operations
import RecorderTesting
import Testing

/// Rebuilds of a whole log beside those who read, and beside those who project: by default of a small one, so that all
/// of it is tried; of a million events by `make million`.
///
/// In the environment: `SCALE_EVENTS` says how many events, `SCALE_DIRECTORY` where the server's data stays for the
/// next run (else it goes), and `SCALE_PARTS` which parts to run (`record,rebuild,kill,cost`).
@Suite(.serialized) struct ScaleTests {
    private static let parts: Set = ["record", "rebuild", "kill", "cost"]

    @Test(.timeLimit(.minutes(60)))
    func `a log is rebuilt beside its readers, killed at half and resumed, and costs the projectors little`()
        async throws
    {
        let environment = ProcessInfo.processInfo.environment
        let events = environment["SCALE_EVENTS"].flatMap { Int($0) } ?? 3_000
        let isLarge = events >= 100_000
        let parts = environment["SCALE_PARTS"].map { Set($0.split(separator: ",").map(String.init)) } ?? Self.parts
        try #require(
            !parts.isEmpty && parts.isSubset(of: Self.parts),
            "SCALE_PARTS holds one or more of \(Self.parts.sorted()), with commas between them"
        )
        signal(SIGPIPE, SIG_IGN)
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-scale-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = TestServer.configuration()
        if isLarge {
            // On a disk, and durable.
            configuration = EmbeddedServerConfiguration(
                directory: environment["SCALE_DIRECTORY"]
                    ?? folder.appending(path: "server").path(percentEncoded: false),
                settings: ["shared_buffers": "1GB", "max_wal_size": "4GB"],
                isTemporary: environment["SCALE_DIRECTORY"] == nil
            )
        }
        Journal.line("SCALE_EVENTS=\(events), \(RecorderCommand.executable.path(percentEncoded: false))")
        try await EmbeddedServer.withServer(configuration, logger: TestServer.logger) { server in
            let run = ScaleRun(url: server.url(), folder: folder, events: events)
            if parts.contains("record") { try await run.record() }
            if parts.contains("rebuild") { try await run.rebuildAll() }
            if parts.contains("kill") { try await run.killAtHalf() }
            if parts.contains("cost") { try await run.cost(rounds: isLarge ? 5 : 1) }
        }
    }
}
