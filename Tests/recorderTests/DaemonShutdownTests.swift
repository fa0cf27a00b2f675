import Foundation
import Operations
import Postgres
import RecorderTesting
import Testing

/// How daemons end when there is nobody to say goodbye to.
@Suite(.timeLimit(.minutes(10))) struct DaemonShutdownTests {
    /// Starts a projector, and waits until it holds shards.
    private static func startedProjector(_ database: PostgresConfiguration) async throws -> RecorderCommand {
        let migrated = try await RecorderCommand.run("migrate", "up", databaseURL: database.url)
        #expect(migrated.status == 0, "\(migrated.errors)")
        let daemon = try RecorderCommand(["project"], databaseURL: database.url)
        let connection = try await PostgresConnection.connect(database)
        var owned = "0"
        while owned == "0", kill(daemon.id, 0) == 0 {
            let rows = try await connection.text(
                unsafeSQL: "select count(*) from projection_checkpoints where owner is not null"
            )
            owned = rows.first?.first.flatMap { $0 } ?? "0"
        }
        await connection.close()
        return daemon
    }

    @Test func `a projector whose server is gone still ends on SIGTERM`() async throws {
        try await withTestServer { server in
            let database = PostgresConfiguration(url: server.url(), schema: "recorder")
            let daemon = try await Self.startedProjector(database)
            await server.stopImmediately()
            daemon.send(SIGTERM)
            let ended = await daemon.result()
            #expect(ended.status == 0, "\(ended.errors)")
            try await server.restart()
        }
    }

    /// Runs a projector that holds shards, on a server whose processes then all stand still while `body` runs.
    private func withSilentServer(_ body: (RecorderCommand) async throws -> Void) async throws {
        try await withTestServer { server in
            let database = PostgresConfiguration(url: server.url(), schema: "recorder")
            let daemon = try await Self.startedProjector(database)
            let postmaster = try #require(server.processIdentifier)
            let processes = [postmaster] + Self.children(of: postmaster)
            for process in processes { kill(process, SIGSTOP) }
            defer { for process in processes { kill(process, SIGCONT) } }
            try await body(daemon)
        }
    }

    private static func children(of parent: Int32) -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.filter { process in
            let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
            return status?.contains("\nPPid:\t\(parent)\n") == true
        }
    }

    @Test func `a projector leaves a server that says nothing`() async throws {
        try await withSilentServer { daemon in
            let start = ContinuousClock.now
            daemon.send(SIGTERM)
            let ended = await daemon.result()
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(start.duration(to: .now) < .seconds(40), "about ten seconds")
            let warnings = ended.errors.split(separator: "\n").filter { $0.contains("still waits for the server") }
            #expect(warnings.count == 1, "\(ended.errors)")
        }
    }

    @Test func `a projector that is asked to stop twice does not wait for the server`() async throws {
        try await withSilentServer { daemon in
            // Two that come at the same time may be one.
            try await eventually("the projector ends") {
                daemon.send(SIGTERM)
                return kill(daemon.id, 0) != 0
            }
            let ended = await daemon.result()
            #expect(ended.status == 128 + SIGTERM, "\(ended)")
        }
    }

    /// A server process that stands still hears of no cancellation, which is waited for in vain for some seconds.
    @Test(arguments: [["projections", "verify"], ["project", "--until-caught-up"], ["sessions"]])
    func `who asks a command to stop twice does not wait for the server`(words: [String]) async throws {
        try await withTestDatabase { database in
            try await withConnection(database) { holder in
                try await holder.run(
                    unsafeSQL: """
                        begin;
                        lock table projection_checkpoints, schema_projections, conversation_sessions_v1 in access exclusive mode
                        """
                )
                let command = try RecorderCommand(words, databaseURL: "\(database.url) application_name=twice")
                let waiting = """
                    select pid from pg_stat_activity
                    where datname = current_database() and application_name = 'twice' and wait_event_type = 'Lock'
                    """
                var process: Int32?
                try await eventually("the command waits for a lock") {
                    let row = try await holder.text(unsafeSQL: "select pg_stat_clear_snapshot(); \(waiting)").first
                    process = row?.first.flatMap { $0 }.flatMap { Int32($0) }
                    return process != nil
                }
                let stopped = try #require(process)
                kill(stopped, SIGSTOP)
                defer { kill(stopped, SIGCONT) }
                // Two that come at the same time may be one.
                try await eventually("the command ends") {
                    command.send(SIGINT)
                    return kill(command.id, 0) != 0
                }
                let ended = await command.result()
                #expect(ended.status == 130, "\(ended)")
            }
        }
    }
}
