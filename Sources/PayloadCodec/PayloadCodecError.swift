/// What went wrong in `PayloadCodec`: a code to switch on, and a message that a person can act on.
package struct PayloadCodecError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// The frame's bytes do not match its header or checksum.
        case corrupt
        /// The frame has a format version that this build does not know.
        case unknownVersion
        /// The frame needs a dictionary that is not there.
        case unknownDictionary
        /// The lengths exceed the limit of an event.
        case tooLarge
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
