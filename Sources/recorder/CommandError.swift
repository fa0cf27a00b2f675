/// What went wrong in a command: a code to switch on, and a message that a person can act on.
struct CommandError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    enum Code: String, Sendable {
        /// A setting is missing or has a value that cannot be used.
        case setting
        /// A file or standard input cannot be read, or a file cannot be written.
        case file
        /// The input breaks the contract.
        case input
        /// The command's answer is no: something was refused, or found to be wrong.
        case refused
        /// A signal, or a server that ended, came before the work was done.
        case stopped
        /// What was asked for is not there.
        case notFound
    }

    /// The kind of failure.
    let code: Code
    /// What failed, where, and what to do. Never holds payloads.
    let message: String
    /// The error that led to this one, if another layer reported it.
    let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    var description: String { message }
}
