internal import EventStore
internal import Logging
internal import Postgres

/// How sessions that fold are set up.
enum FoldSession {
    /// Their settings, beside those of whoever connects.
    static let settings: [String: String] = LogReader.sessionSettings.merging(
        [
            // Rows and checkpoint go together: a crash of the server only moves both back.
            "synchronous_commit": "off",
            // To plan each batch anew took half of the time, and to compile its plan would take longer than to run it.
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
            // A batch sorts in memory.
            "work_mem": "32MB",
            // A batch's table is there already, most of the time.
            "client_min_messages": "warning",
        ]
    ) { $1 }

    /// Settings of sessions that build a whole model: a statement takes as long as the model is
    /// large, and some wait while others work, so the limits that a role or a database sets for
    /// everybody would end each run at the same place.
    static let unlimited = [
        "statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "idle_session_timeout": "0",
    ]

    /// Lends `body` a connection beside such sessions, which prepares what they fold into, compares and swaps.
    ///
    /// - Parameter schema: The recorder's, which unqualified names mean.
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

    /// Lends `body` a pool of such sessions, which keep what they have planned from one task to the next.
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
