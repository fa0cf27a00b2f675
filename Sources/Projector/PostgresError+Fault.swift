package import Postgres

extension PostgresError {
    /// Whether a statement failed because of the values that it was given, so that other events may pass: data
    /// exceptions, constraints, and what functions raise. Source: PostgreSQL manual, appendix A.
    var isEventsFault: Bool {
        guard code == .server, let sqlState else { return false }
        return ["22", "23", "P0", "RC"].contains { sqlState.hasPrefix($0) } || sqlState == "54000"
    }

    /// Whether a projection's own SQL is at fault, whatever the events: a missing table, a wrong type, no privilege.
    var isProjectionsFault: Bool { code == .server && !isPassing && !isEventsFault }

    /// Whether the error is temporary, and neither an event's nor a projection's fault: a broken connection, a lost
    /// transaction conflict, a lock that somebody holds for long, a cancelled statement.
    ///
    /// Source of the code: PostgreSQL manual, appendix A, "Error Codes": 57014 `query_canceled`.
    package var isPassing: Bool { isRetryable || isLockTimeout || code == .closed || sqlState == "57014" }
}
