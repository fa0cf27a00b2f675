/// What went wrong in `Schema`: a code to switch on, and a message that a person can act on.
package struct SchemaError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// A migration that was applied has another checksum now.
        case changedFile
        /// A migration that was applied has no file.
        case missingFile
        /// A new migration is numbered below one that was applied.
        case outOfOrder
        /// A file's name or content does not follow the rules.
        case invalidFile
        /// The schema is older than the program.
        case outOfDate
        /// The server refused a migration.
        case failed
        /// The real schema differs from what the migrations make.
        case drift
        /// What is to be removed or replaced is still in use.
        case inUse
        /// The schema holds what others could have the migrations run.
        case untrusted
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
