import Foundation
package import Logging
package import Operations
package import Postgres
import Schema
import Synchronization

/// The one PostgreSQL server of a test process, started when the first test needs it and gone when the process ends.
package actor TestServer {
    /// What a new database holds.
    package enum Template: Hashable, Sendable {
        /// Nothing.
        case empty
        /// The recorder's schema: all migrations, and the projections' tables and views.
        case recorder
    }

    /// The server of this process.
    package static let shared = TestServer()

    /// How many databases there are at once. Further tests wait, so that connections do not run out.
    private static let databaseLimit = 16

    private var server: Task<(EmbeddedServer, PostgresPool), any Error>?
    private var templates: [Template: Task<String, any Error>] = [:]
    private var databases = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Logs warnings only: what a test provokes is not news.
    package static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .warning
        return logger
    }()

    /// Logs nothing, for tests that cut so many connections that warnings would bury everything else.
    package static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// The server, which is started if it is not running.
    package func running() async throws -> EmbeddedServer { try await started().0 }

    private func started() async throws -> (EmbeddedServer, PostgresPool) {
        if let server { return try await server.value }
        let task = Task {
            let server = try await EmbeddedServer.start(Self.configuration(), logger: Self.logger)
            let administration = PostgresPool(
                PostgresConfiguration(url: server.url(database: "postgres")),
                limits: PostgresPool.Limits(size: 4),
                logger: Self.logger
            )
            return (server, administration)
        }
        server = task
        // The first caller sweeps, while the server starts.
        await Self.removeLeftovers()
        return try await task.value
    }

    /// A server for tests: in a new directory, which is removed with it.
    package static func configuration() -> EmbeddedServerConfiguration {
        EmbeddedServerConfiguration(
            directory: "\(folder)/\(prefix)\(UUID().uuidString.prefix(13))",
            durability: .unsafeForTests,
            settings: [
                "max_connections": "300", "shared_buffers": "64MB", "max_wal_size": "512MB",
                "log_min_messages": "fatal",
                "dynamic_shared_memory_type": "mmap",
            ],
            isTemporary: true
        )
    }

    private static let prefix = "recorder-test-"

    /// Where servers for tests live: in memory if there is enough. Copying a
    /// database takes 0.04 s there, 0.5 s on disk.
    private static let folder: String = {
        let memory = "/dev/shm"
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: memory)
        let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
        return free > 4 << 30 && FileManager.default.isWritableFile(atPath: memory) ? memory : "/tmp"
    }()

    /// Removes servers of test processes that were killed; those of running ones are locked.
    private static func removeLeftovers() async {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where entry.hasPrefix(prefix)
        {
            let path = "\(folder)/\(entry)"
            // A folder without a lock file belongs to a process that is about to take it.
            guard FileManager.default.fileExists(atPath: "\(path)/lock") else { continue }
            try? await EmbeddedServer.remove(directory: path, logger: logger)
        }
    }

    /// Makes a database.
    ///
    /// - Returns: Its name.
    func makeDatabase(_ template: Template) async throws -> String {
        await acquire()
        do {
            let source = try await name(of: template)
            let name = "test_\(UUID().uuidString.lowercased())"
            try await administer("create database \"\(name)\" template \(source) strategy file_copy")
            return name
        } catch {
            release()
            throw error
        }
    }

    /// Drops a database, and ends the connections to it.
    func dropDatabase(_ name: String) async {
        defer { release() }
        do {
            try await administer("drop database \"\(name)\" with (force)")
        } catch {
            Self.logger.warning("a test's database was not dropped: \(error)")
        }
    }

    /// The name of the template, which is made once.
    private func name(of template: Template) async throws -> String {
        if template == .empty { return "template0" }
        if let task = templates[template] { return try await task.value }
        let task = Task {
            let name = "recorder_template"
            try await administer("create database \(name)")
            try await Self.install(PostgresConfiguration(url: running().url(database: name), schema: "recorder"))
            return name
        }
        templates[template] = task
        return try await task.value
    }

    /// Installs the recorder's schema: all migrations, and the projections' tables and views.
    package static func install(_ configuration: PostgresConfiguration) async throws {
        try await PostgresConnection.with(configuration, logger: logger) { try await ShippedSchema.install(on: $0) }
    }

    private func administer(_ sql: String) async throws {
        try await started().1.withConnection { try await $0.run(unsafeSQL: sql) }
    }

    private func acquire() async {
        if databases < Self.databaseLimit {
            databases += 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func release() {
        if waiting.isEmpty {
            databases -= 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
