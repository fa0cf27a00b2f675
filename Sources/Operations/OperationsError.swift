/// What went wrong in `Operations`: a code to switch on, and a message that a person can act on.
package struct OperationsError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// Another process runs this server.
        case alreadyRunning
        /// A program of PostgreSQL was not found.
        case notInstalled
        /// The server did not start.
        case startFailed
        /// The data directory cannot be used.
        case invalidDirectory
    }

    /// The kind of failure.
    package let code: Code
    /// What failed, why, and what to do. Never holds payloads or bound values.
    package let message: String
    /// The error that led to this one, if another layer reported it.
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { message }
}
