import EventStore
import Foundation
import Operations
import Postgres
import Projector
import Schema

/// A running embedded server that is migrated and has the projections' tables.
struct EmbeddedRecorder: Sendable {
    /// The settings, with the server's database.
    let settings: Settings
    /// The server.
    let server: EmbeddedServer
    /// Migrations that this start applied.
    let migrated: Int
    /// Builds the read models.
    let projector: Projector

    /// Starts the server, migrates it, and stops it when `body` is done.
    ///
    /// - Throws: `OperationsError` if another process runs it or it does not start; `SchemaError`; what `body` throws.
    static func run<R>(_ settings: Settings, _ body: (EmbeddedRecorder) async throws -> R) async throws -> R {
        let configuration = EmbeddedServerConfiguration(directory: settings.directory)
        return try await EmbeddedServer.withServer(configuration, logger: settings.logger) { server in
            let keys = try KeyFile.readOrMake(KeyFile.embedded(in: settings.directory))
            let own = settings.with(databaseURL: server.url(), keys: keys)
            let done = try await PostgresConnection.with(try own.database(), logger: own.logger) { connection in
                try await Migrator(schema: own.schema).up(on: connection)
            }
            _ = try await own.withPool { try await KeyAdministration($0, keys: keys).initialise() }
            let recorder = EmbeddedRecorder(
                settings: own,
                server: server,
                migrated: done.count,
                projector: try await own.projector()
            )
            return try await body(recorder)
        }
    }

    /// Says how to reach the server, and with which keys: its log is sealed.
    func announce(json: Bool) {
        if json {
            JSONLine.print { line in
                line.field("databaseUrl", server.url())
                line.field("keyFile", keyFile)
                line.field("directory", settings.directory)
                line.field("processId", server.processIdentifier.map { Int($0) })
                line.field("migrationsApplied", migrated)
            }
            return
        }
        StandardOutput.shared.line("PostgreSQL runs in \(settings.directory) (log: \(server.logPath))")
        if migrated > 0 { StandardOutput.shared.line("\(Counted.text(migrated, "migration")) applied") }
        StandardOutput.shared.line("connect:  psql \"\(server.url())\"")
        StandardOutput.shared.line("services: DATABASE_URL=\"\(server.url())\" RECORDER_KEY_FILE=\"\(keyFile)\"")
        let isUsual = settings.directory == Settings.usualDirectory
        StandardOutput.shared.line(
            "recorder commands \(isUsual ? "in this directory" : "with RECORDER_DIRECTORY=\"\(settings.directory)\"") find it by "
                + "themselves; Ctrl-C stops it"
        )
    }

    /// The absolute path of the file that holds its keys.
    private var keyFile: String { URL(filePath: KeyFile.embedded(in: settings.directory)).path(percentEncoded: false) }

    /// Projects until the task is cancelled.
    ///
    /// - Throws: What the projector throws; ``CommandError`` if the server ended by itself; `CancellationError`.
    func projectUntilCancelled() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await projector.run() }
            group.addTask {
                try await server.waitUntilEnded()
                throw CommandError(.stopped, "PostgreSQL ended by itself: see the end of \(server.logPath)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
