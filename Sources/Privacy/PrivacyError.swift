internal import Cache
internal import Postgres

/// What went wrong in `Privacy`: a code to switch on, and a message that a person can act on.
package struct PrivacyError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// The user is under a legal hold.
        case held
        /// There is no such user, hold or policy.
        case notFound
        /// A value that was given cannot be used.
        case invalid
        /// A file cannot be written.
        case file
        /// The database refused it.
        case failed
    }

    /// The kind of failure.
    package let code: Code
    /// What failed, why, and what to do. Never holds what is stored about a person.
    package let message: String
    /// The error that led to this one, if another layer reported it.
    package let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message and its cause.
    package var description: String { cause.map { "\(message): \($0)" } ?? message }

    /// Translates the database's error.
    ///
    /// - Parameters:
    ///   - what: What failed.
    ///   - undone: What did not happen because of it.
    init(_ error: PostgresError, _ what: String, undone: String = "nothing was erased") {
        switch error.sqlState {
        case "RC006": self.init(.held, "\(error.message): release it first, `recorder retention release`")
        case "RC008": self.init(.notFound, "\(error.message); \(undone): check the id, which `recorder audit` shows")
        case _ where error.isMissingObject:
            self.init(
                .failed,
                "\(undone): the recorder's tables and functions are not there: run `recorder migrate up`, or look in another "
                    + "schema with --schema",
                cause: error
            )
        case _ where error.isUnreachable: self.init(.failed, "\(undone): the database cannot be used now", cause: error)
        default: self.init(.failed, what, cause: error)
        }
    }

    /// Runs work that changes nothing if it fails, and translates its errors.
    ///
    /// - Parameter what: What the work is about, for the message.
    /// - Throws: ``PrivacyError`` for errors of the database and the caches; any other error as it is.
    static func translating<R>(_ what: String = "it", _ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as PostgresError {
            throw PrivacyError(error, "the database refused \(what)", undone: "nothing was changed")
        } catch let error as CacheError {
            throw PrivacyError(.failed, "\(what) cannot be followed", cause: error)
        }
    }
}

extension PostgresError {
    /// Whether the database could not be reached or went away, as opposed to refusing something.
    fileprivate var isUnreachable: Bool {
        [.connectionFailed, .connectionLost, .timedOut].contains(code) || isServerGoingAway
    }
}
