internal import EventStore
internal import Logging
internal import Postgres

/// How sessions that fold are set up.
enum FoldSession {
    /// Their settings, unless the caller's configuration has its own.
    static let settings: [String: String] = LogReader.sessionSettings.merging(
        [
            // Rows and checkpoint go together: a crash of the server only moves both back.
            "synchronous_commit": "off",
            // Planning each batch anew took half of the time, and compiling its plan would take longer than running it.
            "plan_cache_mode": "force_generic_plan",
            // A batch sorts in memory.
            "work_mem": "32MB",
            // Silences the notice that a batch's table exists already.
            "client_min_messages": "warning",
        ]
    ) { $1 }

    /// Settings of sessions that build a whole model: statements take longer the larger the model is, and some sessions
    /// wait while others work, so the limits that a role or a database sets for everybody would end each run at the
    /// same place.
    static let unlimited = [
        "statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "idle_session_timeout": "0",
    ]

    /// Lends `body` a connection that prepares the tables such sessions fold into, compares them and swaps them.
    ///
    /// - Parameter schema: The recorder's schema, in which unqualified names are looked up.
    static func withConnection<R>(
        _ configuration: PostgresConfiguration,
        schema: String,
        logger: Logger,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        var session = configuration
        session.schema = schema
        session.settings.merge(unlimited) { $1 }
        session.settings["client_min_messages"] = "warning"
        return try await PostgresConnection.with(session, logger: logger, body)
    }

    /// Lends `body` a pool of such sessions, which keep their query plans from one task to the next.
    ///
    /// - Parameter size: How many sessions at most.
    static func withPool<R>(
        _ configuration: PostgresConfiguration,
        size: Int,
        _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        var configuration = configuration
        configuration.settings.merge(settings) { given, _ in given }
        return try await PostgresPool.with(configuration, limits: PostgresPool.Limits(size: max(1, size)), body)
    }
}
