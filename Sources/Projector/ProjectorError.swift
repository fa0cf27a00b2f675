/// What went wrong in `Projector`: a code to switch on, and a message that a person can act on.
package struct ProjectorError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// A projection's folder breaks the contract.
        case invalidProjection
        /// An event cannot be applied by a projection.
        case failingEvent
        /// Another projector moved the checkpoint.
        case checkpointMoved
        /// The log was restored into a younger cluster.
        case restoredLog
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
