import Foundation
import Operations
package import Postgres

/// PgBouncer in transaction mode: it lends the server's sessions for one transaction at a time.
enum Pooler {
    /// Runs PgBouncer in front of a database while `body` runs.
    ///
    /// - Parameters:
    ///   - sessions: How many sessions it has to lend.
    ///   - database: The database's connection string.
    ///   - server: Its server. PgBouncer runs as the server's user, because it also refuses to run as root.
    ///   - body: Gets the connection string that goes through it.
    static func with<R>(
        sessions: Int,
        before database: String,
        of server: EmbeddedServer,
        _ body: (_ url: String) async throws -> R
    ) async throws -> R {
        let account = try ServerAccount.choose(data: server.configuration.directory)
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-pooler-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "pgbouncer.ini")
        try Data(settings(sessions, database, folder).utf8).write(to: file)
        for url in [folder, file] { try account.own(url.path(percentEncoded: false)) }
        let command = try account.command(["pgbouncer", file.path(percentEncoded: false)], deathSignal: "KILL")
        let process = try await start(command)
        defer { process.terminate() }
        return try await body("host='\(folder.path(percentEncoded: false))' port=6432 user=anybody dbname=pooled")
    }

    private static func settings(_ sessions: Int, _ database: String, _ folder: URL) -> String {
        """
        [databases]
        pooled = \(database)
        [pgbouncer]
        listen_addr =
        listen_port = 6432
        unix_socket_dir = \(folder.path(percentEncoded: false))
        auth_type = any
        pool_mode = transaction
        default_pool_size = \(sessions)
        max_client_conn = 200
        """
    }

    /// - Returns: The process, once it listens.
    private static func start(_ command: [String]) async throws -> Process {
        let (process, log) = (Process(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        // Debian installs it where only root's `PATH` leads.
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PATH": "\(ProcessInfo.processInfo.environment["PATH"] ?? ""):/usr/sbin"]
        ) { $1 }
        process.standardError = log
        try await withCheckedThrowingContinuation { (started: CheckedContinuation<Void, any Error>) in
            // The thread lives as long as the process, which would die with the thread; see ``RecorderCommand``.
            Thread.detachNewThread {
                do { try process.run() } catch { return started.resume(throwing: error) }
                var (said, isUp) = ("", false)
                while case let data = log.fileHandleForReading.availableData, !data.isEmpty {
                    guard !isUp else { continue }
                    said += String(decoding: data, as: UTF8.self)
                    isUp = said.contains("process up")
                    if isUp { started.resume() }
                }
                process.waitUntilExit()
                if !isUp { started.resume(throwing: ChildProgram.Failure(program: "pgbouncer", reason: said)) }
                try? log.fileHandleForReading.close()
            }
        }
        return process
    }
}

/// Runs a test on a database of its own, reached through a pooler that lends two sessions to all. See
/// ``withTestDatabase(_:_:)``.
package func withPooledDatabase<R>(
    _ template: TestServer.Template = .recorder,
    _ body: (PostgresConfiguration) async throws -> R
) async throws -> R {
    try await withTestDatabase(template) { given in
        let server = try await TestServer.shared.running()
        return try await Pooler.with(sessions: 2, before: given.url, of: server) { url in
            var configuration = given
            configuration.url = url
            return try await body(configuration)
        }
    }
}
