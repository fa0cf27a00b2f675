/// What went wrong in `EventStore`: a code to switch on, and a message that a person can act on.
package struct EventStoreError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// The stream does not hold what the append expected.
        case wrongExpectedVersion
        /// The append breaks a rule of the event contract.
        case invalidAppend
        /// A stored event cannot be decoded.
        case corruptEvent
        /// The database cannot be reached.
        case unavailable
        /// A cursor's text cannot be parsed.
        case invalidCursor
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
