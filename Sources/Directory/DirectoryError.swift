internal import Postgres

/// What went wrong in `Directory`: a code to switch on, and a message that a person can act on.
///
/// Never reveals stored values, or whether another user's row exists.
public struct DirectoryError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    public enum Code: String, Sendable {
        /// The acting user has no such row: it does not exist, or is another user's; they cannot tell which.
        case notFound
        /// Somebody else changed the row since it was read: read it again and decide again.
        case stale
        /// A value that has to be unique is taken.
        case conflict
        /// A value breaks a rule of the table.
        case invalid
        /// The acting user may not do that. An `access.denied` event records it.
        case denied
        /// Other rows still belong to this one.
        case inUse
        /// The call would change more rows than one call may.
        case tooMany
        /// The cursor of a page belongs to another query.
        case invalidCursor
        /// A transaction's repositories were used after it ended, or a call in it was not awaited.
        case transactionOver
        /// The tables are not there, or the login is not set up.
        case notInstalled
        /// The database cannot be reached now. Whether a change took effect is unknown.
        case unavailable
        /// The database refused it for another reason.
        case failed
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, why, and what to do. Never holds stored values.
    public let message: String
    /// The constraint that a value breaks.
    public private(set) var constraint: String?
    /// The version that the row has, when it is not the expected one.
    public private(set) var found: Int?
    /// The error that led to this one, if it says more and holds nothing secret.
    public private(set) var cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, and the cause where it says more.
    public var description: String { cause.map { "\(message): \($0)" } ?? message }

    static func notFound(_ resource: String) -> DirectoryError {
        DirectoryError(.notFound, "\(resource) is not there for this user: check its id, and whether it was deleted")
    }

    static func stale(_ resource: String, expected: Int, found: Int) -> DirectoryError {
        var error = DirectoryError(
            .stale,
            "\(resource) has version \(found) by now, not \(expected): read it again, and decide again"
        )
        error.found = found
        return error
    }
}

extension DirectoryError {
    /// Translates the database's error.
    ///
    /// Source: PostgreSQL manual, appendix A.
    init(_ error: PostgresError) {
        switch error.sqlState {
        case "23505": self.init(.conflict, Self.conflict(error.constraint))
        // Our own triggers write these messages, which mention only the row's states.
        case "23514" where error.constraint?.hasSuffix("_transition") == true: self.init(.invalid, error.message)
        case "23514", "23502": self.init(.invalid, "a value breaks the rule \(error.constraint ?? error.column ?? "")")
        case "23503":
            // The same constraint fails in both directions; the server's message says which.
            self =
                error.message.hasPrefix("insert")
                ? DirectoryError(.invalid, "the user is not registered: create the user first")
                : DirectoryError(.inUse, "models or documents of the user are still there: delete them for good first")
        case "22P02", "22003", "22007", "22008", "22021", "22P05":
            self.init(.invalid, "a value does not fit its column (SQLSTATE \(error.sqlState ?? ""))")
        // Only search_documents raises this: no column has a length limit.
        case "22001": self.init(.invalid, error.message)
        case _ where error.isPermissionDenied && error.message.contains("set role"), "22023":
            self.init(
                .notInstalled,
                "the login may not act for users: run `recorder migrate up`, and grant recorder_service to it",
                cause: error
            )
        case "RC006": self.init(.denied, "nothing that the user gave may be changed or deleted for good now")
        case "RC007": self.init(.denied, "the user is erased: nothing is stored about them any more")
        case _ where error.isPermissionDenied: self.init(.denied, "the acting user may not do that")
        case _ where error.isMissingObject:
            self.init(
                .notInstalled,
                "the tables are not there: run `recorder migrate up`, and `recorder project` for sessions, turns and audit",
                cause: error
            )
        case _ where error.isRetryable || error.code == .closed:
            self.init(.unavailable, "the database cannot be reached now", cause: error)
        default: self.init(.failed, "the database refused it", cause: error)
        }
        constraint = error.constraint
    }

    private static func conflict(_ constraint: String?) -> String {
        switch constraint {
        case "users_email_key": "this email address cannot be used: take another one"
        case "voice_models_active_key", "face_models_active_key":
            "another model of the user is active: activate this one instead"
        default: "this id is taken: make another one"
        }
    }
}
