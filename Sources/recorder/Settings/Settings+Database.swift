import Cache
import EventModel
import EventStore
import Operations
import Postgres
import Privacy
import ReadModel
import Schema

extension Settings {
    /// How to reach the database: as given, or the server that `recorder dev` runs in this directory.
    ///
    /// - Throws: ``CommandError`` with code `.setting` if there is neither.
    func database() throws(CommandError) -> PostgresConfiguration {
        guard let url = databaseURL ?? EmbeddedServerConfiguration(directory: directory).runningURL else {
            throw CommandError(
                .setting,
                "no database is given: set DATABASE_URL or --database-url, or run `recorder dev` in this directory"
            )
        }
        return PostgresConfiguration(url: url, schema: schema, applicationName: "recorder")
    }

    /// Prepares the erasure of a person from everything that these settings name.
    ///
    /// - Parameters:
    ///   - subject: The user.
    ///   - actor: Who erases them.
    ///   - pool: Connections to the database.
    ///   - store: The log.
    ///   - files: All projections whose tables may exist.
    ///   - objects: The store of the user's objects, if there is one.
    func erasure(
        of subject: StreamID,
        by actor: String,
        _ pool: PostgresPool,
        _ store: PostgresEventStore,
        projections files: [ProjectionFiles],
        objects: (any ObjectStore)?
    ) -> SubjectErasure {
        SubjectErasure(
            of: subject,
            actor: actor,
            pool: pool,
            schema: schema,
            store: store,
            projections: files,
            objects: objects,
            logger: logger
        )
    }

    /// Opens the log while `body` runs. The caller decides what signals do meanwhile.
    func withStore<R>(_ body: (PostgresEventStore) async throws -> R) async throws -> R {
        try await tellingOfRights { try await PostgresEventStore.with(database(), keys: keys, logger: logger, body) }
    }

    /// Opens the log while `body` runs. SIGINT and SIGTERM cancel the command meanwhile.
    func withStoreUntilSignal<R>(_ body: (PostgresEventStore) async throws -> R) async throws -> R {
        try await RunningCommand.cancelledBySignals { try await withStore(body) }
    }

    /// Opens the log while `body` runs, which SIGINT and SIGTERM ask to stop. A second signal ends the process at once.
    func withStore<R>(stoppedBy stop: StopSignal, _ body: (PostgresEventStore) async throws -> R) async throws -> R {
        try await RunningCommand.hearingSignals { _ in
            stop.raise()
        } while: {
            try await withStore(body)
        }
    }

    /// Opens a pool of connections while `body` runs. SIGINT and SIGTERM cancel the command meanwhile.
    func withPool<R>(_ body: (PostgresPool) async throws -> R) async throws -> R {
        try await RunningCommand.cancelledBySignals {
            try await tellingOfRights { try await PostgresPool.with(database(), logger: logger, body) }
        }
    }

    /// Opens the read models while `body` runs. SIGINT and SIGTERM cancel the command meanwhile.
    func withReadModels<R>(_ body: (ReadModels) async throws -> R) async throws -> R {
        try await withPool { pool in try await body(ReadModels(pool)) }
    }
}
