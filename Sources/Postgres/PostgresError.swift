/// What went wrong between a caller and PostgreSQL.
///
/// A caller switches on ``code``; a person reads ``description``. Neither ever holds bound values or payloads.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// No connection could be made: wrong address, no server, refused login.
        case connectionFailed
        /// The connection broke while it was in use. Whether the statement took effect is unknown.
        case connectionLost
        /// A time limit was reached: while connecting, or while waiting for a connection of the pool.
        case timedOut
        /// The pool or the connection was already closed.
        case closed
        /// The server refused a statement; see ``PostgresError/sqlState``.
        case server
        /// A value cannot be sent: it is too large or not representable.
        case encoding
        /// A column has another type than was asked for, or is NULL where that is not allowed.
        case decoding
        /// The connection's protocol state does not allow the call.
        case misuse
    }

    /// The kind of failure.
    package let code: Code
    /// What failed and why, in one sentence.
    package var message: String
    /// SQLSTATE, five characters, when the server reported the failure.
    package var sqlState: String?
    /// The server's DETAIL. It may quote stored values and parameters, so ``description`` leaves it out.
    package var detail: String?
    /// The server's HINT.
    package var hint: String?
    /// The constraint that was violated.
    package var constraint: String?
    /// The table that the failure is about.
    package var table: String?
    /// The column that the failure is about, or the result column that could not be decoded.
    package var column: String?
    /// The position of the failure in the text that was sent, in Unicode scalars from 1; `nil` if it is in a function,
    /// or unknown.
    package var position: Int?
    /// Where in a function the server was, in its own words. It may quote values, so ``description`` leaves it out.
    package var context: String?
    /// Whether a prepared statement's plan is no longer valid, because DDL changed what it returns, or the statement
    /// itself is gone; it works when prepared again.
    var isStalePlan = false
    /// Whether no connection can be made until somebody changes something: the address cannot be read, or the server
    /// refused the role, its password, or the database. True only if no address of the URL may work later.
    package var isLasting = false

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same work may succeed if its transaction is tried again from the start.
    ///
    /// True for serialization failures, deadlocks, a server that starts, stops or lacks resources, and lost
    /// connections.
    /// Source: PostgreSQL manual, appendix A, "Error Codes".
    package var isRetryable: Bool {
        switch code {
        case .connectionFailed, .connectionLost, .timedOut: true
        case .server: endsTransactionOnly || isServerGoingAway || sqlState?.hasPrefix("53") == true
        case .closed, .encoding, .decoding, .misuse: false
        }
    }

    /// Whether the transaction lost against another one, by a serialization failure or a deadlock.
    package var isTransactionConflict: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// Whether the same transaction may succeed if it is run again at once on the same connection.
    package var endsTransactionOnly: Bool { isTransactionConflict || isStalePlan }

    /// Whether a lock was not granted within `lock_timeout`, or not at once if that was asked for.
    package var isLockTimeout: Bool { sqlState == "55P03" }

    /// Whether a table, a column, a function or a schema does not exist, or is not in the search path.
    ///
    /// Source: PostgreSQL manual, appendix A, "Error Codes": undefined_table, undefined_column, undefined_function,
    /// invalid_schema_name.
    package var isMissingObject: Bool { ["42P01", "42703", "42883", "3F000"].contains(sqlState) }

    /// Whether nothing answered at the address: a server that refuses a connection reports it as FATAL.
    package var isUnanswered: Bool { code == .connectionFailed && hint == nil && !message.contains("FATAL") }

    /// Whether the role may not do what was asked.
    ///
    /// Source: PostgreSQL manual, appendix A, "Error Codes": insufficient_privilege.
    package var isPermissionDenied: Bool { sqlState == "42501" }

    /// Whether the server ended the session or is starting or stopping.
    package var isServerGoingAway: Bool {
        guard let sqlState else { return false }
        return ["57P01", "57P02", "57P03", "57P05"].contains(sqlState) || sqlState.hasPrefix("08")
    }

    /// The message, the SQLSTATE, what the failure is about, and the hint; never a bound or stored value.
    package var description: String {
        var text = message
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        if let hint { text += "; \(hint)" }
        return text
    }
}
