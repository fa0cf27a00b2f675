/// What went wrong in `EventModel`: a code to switch on, and a message that a person can act on.
package struct EventModelError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// The line is not JSON, or not a JSON object.
        case notJSON
        /// A field that must be there is not.
        case missingField
        /// A field has a value that the contract does not allow.
        case invalidField
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
