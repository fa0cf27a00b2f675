/// What went wrong in `PayloadCodec`: a code to switch on, and a message that a person can act on.
package struct PayloadCodecError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    package enum Code: String, Sendable {
        /// The frame's bytes do not match its header or checksum.
        case corrupt
        /// The frame has a format version, or a flag, that this build does not know.
        case unknownVersion
        /// The frame needs a dictionary that is not loaded; ``PayloadCodecError/dictionary`` says which.
        case unknownDictionary
        /// The frame is sealed under a key that was not given; ``PayloadCodecError/key`` says which.
        case missingKey
        /// A key's id is not one that a frame can name.
        case badKey
        /// The lengths exceed the limit of an event.
        case tooLarge
        /// A dictionary's id, size or checksum is not what it must be.
        case badDictionary
        /// There are too few samples to train a dictionary from.
        case tooFewSamples
    }

    /// The kind of failure.
    package let code: Code
    /// What failed, why, and what to do. Never holds payloads or bound values.
    package let message: String
    /// The id of the dictionary that is missing, with code `.unknownDictionary`: load it and decode again.
    package let dictionary: Int?
    /// The id of the subject's key that is missing, with code `.missingKey`: load it and decode again.
    package let key: Int64?
    /// The error that led to this one, if another layer reported it.
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, dictionary: Int? = nil, key: Int64? = nil, cause: (any Error)? = nil)
    {
        self.code = code
        self.message = message
        self.dictionary = dictionary
        self.key = key
        self.cause = cause
    }

    package var description: String { message }
}
