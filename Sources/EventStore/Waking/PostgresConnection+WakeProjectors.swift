package import Postgres

extension PostgresConnection {
    /// Wakes the projectors after a commit of events that no appender has stored; for roles without rights on the log.
    package func wakeProjectors() async throws { _ = try await first(WakeProjectors()) }
}

private struct WakeProjectors: PostgresStatement {
    let sql = "select wake_projectors()"
}
