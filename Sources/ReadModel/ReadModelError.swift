internal import Postgres

/// What went wrong in `ReadModel`: a code to switch on, and a message that a person can act on.
public struct ReadModelError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    public enum Code: String, Sendable {
        /// Nothing has this identifier.
        case notFound
        /// An argument is out of its range, or a file breaks its format.
        case invalidArgument
        /// The read models have no tables yet.
        case notInstalled
        /// The database cannot be reached now.
        case unavailable
        /// The database refused the query.
        case failed
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, why, and what to do. Never holds payloads or bound values.
    public let message: String
    /// The error that led to this one, if another layer reported it.
    public let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// What the database's error means for a query on a read model.
    ///
    /// Source of the code: PostgreSQL manual, appendix A: invalid_parameter_value, which the query functions raise for
    /// arguments that they do not accept.
    init(_ error: PostgresError) {
        switch error.sqlState {
        case _ where error.isMissingObject:
            self.init(
                .notInstalled,
                "the read models are not there: run `recorder migrate up` and `recorder project`, or look in another "
                    + "schema",
                cause: error
            )
        case "22023": self.init(.invalidArgument, error.message, cause: error)
        case _ where error.isRetryable: self.init(.unavailable, "the read models cannot be read now", cause: error)
        default: self.init(.failed, "the read models cannot be read", cause: error)
        }
    }

    /// The message, and the cause where it says more.
    public var description: String {
        guard code == .unavailable || code == .failed, let cause else { return message }
        return "\(message): \(cause)"
    }
}
