import Foundation
import Operations
import Postgres
import RecorderTesting
import Testing

/// Kills what can be killed in the middle of the main job; what comes out must be what an undisturbed run gives.
@Suite(.enabled(if: SharedData.folder != nil, Comment(rawValue: SharedData.missing)))
struct CrashTests {
    /// What the read models hold when nothing goes wrong.
    private static let undisturbed = Task {
        try await withTestDatabase { database in
            let run = Recording(database)
            try await run.prices()
            let imported = try await run.importing(try await dialogues())
            #expect(imported.status == 0, "\(imported.errors)")
            try await run.project()
            let fingerprints = try await run.fingerprints()
            #expect(fingerprints.count == 6 && !fingerprints.values.contains("empty"), "\(fingerprints)")
            return fingerprints
        }
    }

    private static func dialogues() async throws -> [URL] { Array(try await SharedData.conversations().prefix(1)) }

    @Test func `an import killed at three moments and run again ends as if it had not been`() async throws {
        let files = try await Self.dialogues()
        try await withTestDatabase { database in
            let run = Recording(database)
            try await run.prices()
            for round in 0..<3 {
                let groups = GroupCounter(database)
                let counting = try await groups.start()
                let importing = try run.startImport(files, as: "import \(round)")
                try await groups.wait(for: Int.random(in: 1...5), orUntilEnded: importing, counting)
                try await withConnection(database) { connection in
                    _ = try await UnreadCommit.stop(importing.id, named: "import \(round)", on: connection)
                }
                importing.send(SIGKILL)
                #expect(await importing.result().status == -SIGKILL, "it was done before it was killed")
            }
            let stored = try await run.count("events")
            #expect(stored > 0, "the import was killed before it stored anything: nothing is tested")
            let last = try await run.importing(files)
            #expect(last.status == 0, "\(last.errors)")
            try await run.project()
            #expect(try await run.count("events") == 20_717)
            #expect(try await run.fingerprints() == Self.undisturbed.value)
        }
    }

    @Test func `a server stopped in the middle of import and projection loses and doubles nothing`() async throws {
        let files = try await Self.dialogues()
        try await withTestServer { server in
            let database = PostgresConfiguration(url: server.url(), schema: "recorder")
            let migrated = try await RecorderCommand.run("migrate", "up", databaseURL: database.url)
            #expect(migrated.status == 0, "\(migrated.errors)")
            let run = Recording(database)
            try await run.prices()
            let daemon = try RecorderCommand(["project"], databaseURL: database.url)
            let groups = GroupCounter(database)
            let counting = try await groups.start()
            let importing = try run.startImport(files)
            try await groups.wait(for: 3, orUntilEnded: importing, counting)
            await server.stopImmediately()
            #expect(kill(importing.id, 0) == 0, "it was done before the server stopped")
            try await server.restart()
            let imported = await importing.result()
            #expect(imported.status == 0, "\(imported.errors)")
            try await run.project()
            daemon.send(SIGTERM)
            let stopped = await daemon.result()
            #expect(stopped.status == 0, "\(stopped.errors)")
            #expect(try await run.count("events") == 20_717)
            #expect(try await run.fingerprints() == Self.undisturbed.value)
        }
    }
}

/// Counts the groups that appenders commit, by their notifications: a signal to wait for, instead of time.
private struct GroupCounter {
    private let database: PostgresConfiguration

    init(_ database: PostgresConfiguration) { self.database = database }

    /// Listens from now on.
    func start() async throws -> PostgresNotifications.Iterator {
        var iterator = PostgresNotifications(database, channels: ["recorder_events"], quietAfter: .seconds(1))
            .makeAsyncIterator()
        _ = try await iterator.next()
        return iterator
    }

    /// Waits for so many groups, or until the process has ended before.
    func wait(
        for groups: Int,
        orUntilEnded process: RecorderCommand,
        _ notifications: PostgresNotifications.Iterator
    ) async throws {
        var notifications = notifications
        var seen = 0
        let end = ContinuousClock.now + .seconds(300)
        while seen < groups, kill(process.id, 0) == 0 {
            try #require(.now < end, "\(seen) of \(groups) groups are committed")
            if case .received = try await notifications.next() { seen += 1 }
        }
    }
}
