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

    private func lay(_ files: [String: String], into folder: URL, as place: String = "event_counts/v1") throws {
        let version = folder.appending(path: place)
        try FileManager.default.createDirectory(at: version, withIntermediateDirectories: true)
        for (name, text) in files { try Data(text.utf8).write(to: version.appending(path: name)) }
    }

    /// Lends out a folder, empty yet, and a database that holds so many events.
    private func withFolder(
        _ body: (_ folder: URL, _ events: Int, _ database: PostgresConfiguration) async throws -> Void
    ) async throws {
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
            try await body(folder, simulated.lines.count, database)
        }
    }

    private func daemon(_ folder: URL, _ database: PostgresConfiguration) throws -> RecorderCommand {
        try RecorderCommand(
            ["project", "--projections", folder.path(percentEncoded: false)],
            databaseURL: database.url
        )
    }

    private func end(_ daemon: RecorderCommand) async {
        daemon.send(SIGTERM)
        let ended = await daemon.result()
        #expect(ended.status == 0, "\(ended.errors)")
    }

    /// Runs a test beside a daemon that has projected a few sessions and is stopped in the end.
    private func withDaemon(
        _ body: (_ daemon: RecorderCommand, _ folder: URL, _ events: Int, _ database: PostgresConfiguration)
            async throws
            -> Void
    ) async throws {
        try await withFolder { folder, events, database in
            let daemon = try daemon(folder, database)
            try await withConnection(database) { connection in
                try await waits("the program's own are projected", for: daemon) {
                    let rows = try await connection.text(
                        unsafeSQL:
                            "select sum(events) from projection_checkpoints where projection = 'conversation_sessions'"
                    )
                    return rows.first?.first.flatMap { $0 } == "\(events)"
                }
                // What was drawn from a sequence is not rolled back, and says that a mistake was met.
                try await connection.run(unsafeSQL: "create sequence met; grant usage on sequence met to public")
                try await body(daemon, folder, events, database)
            }
            await end(daemon)
        }
    }

    /// Runs a test beside a daemon that waits for a lock on a table while it begins, and is stopped in the end.
    private func withDaemon(
        waitingFor table: String,
        _ body: (
            _ daemon: RecorderCommand, _ folder: URL, _ events: Int, _ unlock: () async throws -> Void,
            _ connection: PostgresConnection
        ) async throws -> Void
    ) async throws {
        try await withFolder { folder, events, database in
            try await withConnection(database) { locker in
                try await locker.run(unsafeSQL: "begin; lock table \(table) in access exclusive mode")
                let daemon = try daemon(folder, database)
                try await withConnection(database) { connection in
                    try await waits("it waits for \(table)", for: daemon) {
                        try await connection.text(
                            unsafeSQL:
                                """
                                select count(*) > 0 from pg_locks where not granted and relation = '\(table)'::regclass
                                    and database = (select oid from pg_database where datname = current_database())
                                """
                        ) == [["t"]]
                    }
                    try await body(daemon, folder, events, { try await locker.run(unsafeSQL: "rollback") }, connection)
                }
                await end(daemon)
            }
        }
    }

    private static let mistake = files.merging(["table.sql": "select nextval('met');\nselect 1 / 0;"]) { $1 }

    /// Waits until the folder's projection has everything.
    private func waitForCounts(
        _ events: Int,
        in view: String = "event_counts",
        of daemon: RecorderCommand,
        on connection: PostgresConnection
    ) async throws {
        try await waits("the folder's is projected", for: daemon) {
            let there = try await connection.text(unsafeSQL: "select to_regclass('\(view)')")
            guard there.first?.first.flatMap({ $0 }) != nil else { return false }
            let rows = try await connection.text(unsafeSQL: "select sum(events) from \(view)")
            return rows.first?.first.flatMap { $0 } == "\(events)"
        }
    }

    @Test
    func `a projection that is added to the folder is built from the beginning after SIGHUP, without a new build`()
        async throws
    {
        try await withDaemon { daemon, folder, events, database in
            let connection = try await PostgresConnection.connect(database)
            // A mistake in the folder ends nothing and makes nothing: what runs
            // goes on, and is asked again when it is gone.
            try lay(Self.files, into: folder)
            try lay(Self.mistake, into: folder, as: "mistaken/v1")
            daemon.send(SIGHUP)
            try await waits("the mistake is met", for: daemon) {
                try await connection.text(unsafeSQL: "select is_called from met") == [["t"]]
            }
            #expect(try await connection.text(unsafeSQL: "select to_regclass('event_counts_v1')") == [[nil]])
            try FileManager.default.removeItem(at: folder.appending(path: "mistaken"))
            daemon.send(SIGHUP)
            try await waitForCounts(events, of: daemon, on: connection)
            await connection.close()
        }
    }

    @Test func `a draft in the folder does not matter when a version is installed by a rebuild`() async throws {
        try await withDaemon { daemon, folder, events, database in
            let connection = try await PostgresConnection.connect(database)
            try lay(Self.files, into: folder)
            daemon.send(SIGHUP)
            try await waitForCounts(events, of: daemon, on: connection)
            try lay(Self.mistake, into: folder, as: "draft/v1")
            try lay(
                Self.files.mapValues { $0.replacing("event_counts_v1", with: "event_counts_v2") },
                into: folder,
                as: "event_counts/v2"
            )
            let rebuilt = try await RecorderCommand.run(
                [
                    "projections", "rebuild", "event_counts", "--version", "2", "--projections",
                    folder.path(percentEncoded: false),
                ],
                databaseURL: database.url
            )
            #expect(rebuilt.status == 0, "\(rebuilt.errors)")
            try await waits("the daemon has taken version 2", for: daemon) {
                let owned =
                    "select count(*) > 0 from projection_checkpoints where projection = 'event_counts' and version = 2"
                return try await connection.text(unsafeSQL: "\(owned) and owner is not null") == [["t"]]
            }
            #expect(try await connection.text(unsafeSQL: "select is_called from met") == [["f"]])
            await connection.close()
        }
    }

    @Test func `a SIGHUP while the projector begins is answered when it has begun`() async throws {
        try await withDaemon(waitingFor: "projection_checkpoints") { daemon, folder, events, unlock, connection in
            try lay(Self.files, into: folder)
            daemon.send(SIGHUP)
            try await waits("the tables are there", for: daemon) {
                try await connection.text(unsafeSQL: "select to_regclass('event_counts_v1') is not null") == [["t"]]
            }
            try await unlock()
            try await waitForCounts(events, of: daemon, on: connection)
        }
    }

    @Test func `a SIGHUP before the projector begins is answered`() async throws {
        try await withDaemon(waitingFor: "schema_projections") { daemon, folder, events, unlock, connection in
            try lay(Self.files, into: folder)
            daemon.send(SIGHUP)
            try await unlock()
            try await waitForCounts(events, of: daemon, on: connection)
        }
    }

    @Test func `a SIGHUP while another one is answered is answered after it`() async throws {
        try await withDaemon { daemon, folder, events, database in
            let connection = try await PostgresConnection.connect(database)
            let later = Self.files.mapValues { $0.replacing("event_counts", with: "later_counts") }
            try lay(Self.files, into: folder)
            daemon.send(SIGHUP)
            try await waits("the first one's tables are there", for: daemon) {
                try await connection.text(unsafeSQL: "select to_regclass('event_counts_v1') is not null") == [["t"]]
            }
            try lay(later, into: folder, as: "later_counts/v1")
            daemon.send(SIGHUP)
            try await waitForCounts(events, in: "later_counts", of: daemon, on: connection)
            try await waitForCounts(events, of: daemon, on: connection)
            await connection.close()
        }
    }

    /// Asks until the answer is yes; an issue if the daemon ends before.
    private func waits(_ what: String, for daemon: RecorderCommand, _ isTrue: () async throws -> Bool) async throws {
        try await eventually(what, within: .seconds(120)) {
            if try await isTrue() { return true }
            guard kill(daemon.id, 0) != 0 else { return false }
            Issue.record("the daemon ended before \(what): \(await daemon.result().errors)")
            return true
        }
    }
}
