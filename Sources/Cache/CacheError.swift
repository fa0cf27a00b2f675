internal import Postgres

/// What went wrong in `Cache`: a code to switch on, and a message that a person can act on.
public struct CacheError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    public enum Code: String, Sendable {
        /// An argument or a setting is out of its range.
        case invalidArgument
        /// The tables of caches and limits are not there.
        case notInstalled
        /// Nothing is stored under this key.
        case notFound
        /// What was stored is not what was read back, or does not match its checksum.
        case corrupt
        /// The database or the object store cannot be reached now, or is overloaded.
        case unavailable
        /// The database or the object store refused the request.
        case refused
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, why, and what to do. Never holds cached values or keys' contents.
    public let message: String
    /// The error that led to this one, if another layer reported it.
    public let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Translates the database's error for a cache or a limit.
    init(_ error: PostgresError, _ what: String) {
        if error.isMissingObject {
            self.init(
                .notInstalled,
                "\(what): the tables are not there: run `recorder migrate up`, or look in another schema",
                cause: error
            )
        } else if error.isRetryable {
            self.init(.unavailable, "\(what): the database cannot be used now", cause: error)
        } else {
            self.init(.refused, what, cause: error)
        }
    }

    /// The message, and the cause where it says more.
    public var description: String {
        guard code != .notInstalled, let cause else { return message }
        return "\(message): \(cause)"
    }
}
