import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder project --projections`: a projection that is laid into a folder while the daemon runs.
@Suite(.timeLimit(.minutes(10))) struct ReloadingProjectorTests {
    private static let files = [
        "table.sql": "create table event_counts_v1 (type text primary key, events bigint not null);",
        "apply.sql": """
        -- handles: *
        insert into event_counts_v1 as counted (type, events)
        select type, count(*) from batch group by type order by type
        on conflict (type) do update set events = counted.events + excluded.events;
        """,
        "view.sql": "create or replace view event_counts as select type, events from event_counts_v1;",
    ]

    private func lay(_ files: [String: String], into folder: URL) throws {
        let version = folder.appending(path: "event_counts/v1")
        try FileManager.default.createDirectory(at: version, withIntermediateDirectories: true)
        for (name, text) in files { try Data(text.utf8).write(to: version.appending(path: name)) }
    }

    @Test
    func `a projection that is added to the folder is built from the beginning after SIGHUP, without a new build`()
        async throws
    {
        try await withTestDatabase { database in
            let folder = FileManager.default.temporaryDirectory.appending(path: "projections-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let simulated = try await RecorderCommand.run("simulate", "--sessions", "3", "--seed", "5")
            let imported = try await RecorderCommand.run(
                "import",
                "-",
                databaseURL: database.url,
                input: simulated.output
            )
            #expect(imported.status == 0, "\(imported.errors)")

            let daemon = try RecorderCommand(
                ["project", "--projections", folder.path(percentEncoded: false)],
                databaseURL: database.url
            )
            let connection = try await PostgresConnection.connect(database)
            try await waits("the program's own are projected", for: daemon) {
                let rows = try await connection.text(
                    unsafeSQL:
                        "select sum(events) from projection_checkpoints where projection = 'conversation_sessions'"
                )
                return rows.first?.first.flatMap { $0 } == "\(simulated.lines.count)"
            }
            // A mistake in the folder ends nothing: what runs goes on, and is asked again when the mistake is gone. What was drawn
            // from a sequence is not rolled back, and says that the mistake was met.
            try await connection.run(unsafeSQL: "create sequence met; grant usage on sequence met to public")
            let mistake = ["table.sql": "select nextval('met');\nselect 1 / 0;"]
            try lay(Self.files.merging(mistake) { $1 }, into: folder)
            daemon.send(SIGHUP)
            try await waits("the mistake is met", for: daemon) {
                try await connection.text(unsafeSQL: "select is_called from met") == [["t"]]
            }
            try lay(Self.files, into: folder)
            daemon.send(SIGHUP)
            try await waits("the folder's is projected", for: daemon) {
                let there = try await connection.text(unsafeSQL: "select to_regclass('event_counts')")
                guard there.first?.first.flatMap({ $0 }) != nil else { return false }
                let rows = try await connection.text(unsafeSQL: "select sum(events) from event_counts")
                return rows.first?.first.flatMap { $0 } == "\(simulated.lines.count)"
            }
            await connection.close()
            daemon.send(SIGTERM)
            let ended = await daemon.result()
            #expect(ended.status == 0, "\(ended.errors)")
        }
    }

    /// Asks until the answer is yes; an issue if the daemon ends before.
    private func waits(_ what: String, for daemon: RecorderCommand, _ isTrue: () async throws -> Bool) async throws {
        while try await !isTrue() {
            guard kill(daemon.id, 0) == 0 else {
                Issue.record("the daemon ended before \(what): \(await daemon.result().errors)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
