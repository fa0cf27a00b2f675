/// What went wrong in `EventModel`: a code to switch on, and a message that a person can act on.
public struct EventModelError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    public enum Code: String, Sendable {
        /// The line is not JSON, or not a JSON object.
        case notJSON
        /// A required field is missing.
        case missingField
        /// A field has a value that the contract does not allow.
        case invalidField
        /// A field of the line, or of an event's metadata, occurs twice.
        case duplicateField
        /// The line has a field that the contract does not know.
        case unknownField
        /// `data` or `metadata` is larger than ``EventDraft/largestJSON``.
        case tooLarge
        /// A change of state that the table of transitions does not allow.
        case illegalTransition
    }

    /// The kind of failure.
    public let code: Code
    /// The field of the event that is at fault; `nil` if it is the whole line.
    public let field: String?
    /// Why it was refused and what to do. Never holds payloads or bound values.
    public let reason: String
    /// The number of the line, counted from 1; `nil` if the event did not come from a line.
    public let line: Int?
    /// The error that led to this one, if another layer reported it.
    public let cause: (any Error)?

    /// Creates an error about a field, or about the whole input if `field` is `nil`.
    package init(_ code: Code, field: String? = nil, _ reason: String, line: Int? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.field = field
        self.reason = reason
        self.line = line
        self.cause = cause
    }

    /// What failed and why, such as `line 7: data: a string holds \u0000, which PostgreSQL cannot store; remove it`.
    public var message: String {
        (line.map { "line \($0): " } ?? "") + (field.map { "\($0): " } ?? "") + reason
    }

    /// The message.
    public var description: String { message }

    /// The same error with a line number.
    package func at(line: Int?) -> EventModelError {
        EventModelError(code, field: field, reason, line: line, cause: cause)
    }

    /// The same error with a field's name.
    package func of(field: String) -> EventModelError {
        EventModelError(code, field: field, reason, line: line, cause: cause)
    }
}
