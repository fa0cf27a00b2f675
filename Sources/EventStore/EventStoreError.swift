public import EventModel

internal import PayloadCodec
internal import Postgres

/// What went wrong in the event store: a code to switch on, and a message that a person can act on.
public struct EventStoreError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller may treat differently.
    public enum Code: String, Sendable {
        /// The stream does not hold what the append expected, or holds only some of its events. Nothing was stored.
        case wrongExpectedVersion
        /// The append breaks a rule of the event contract. Nothing was stored.
        case invalidAppend
        /// The server refused the append for another reason. Nothing was stored.
        case refused
        /// Whether the append was stored is unknown, because the database could not be reached in time; or it was not
        /// stored, because another session's open transaction is in its way, or because the server came after another
        /// one and lacks what the append was packed with. Appending again with the same event ids finds out.
        case unavailable
        /// A stored event cannot be decoded.
        case corruptEvent
        /// A key-encryption key that seals personal fields was not given, or does not fit.
        case keyUnavailable
        /// A text that should hold keys does not.
        case invalidKey
        /// The log was restored from another cluster's dump, so the order of its events is unknown.
        case restoredLog
        /// A cursor has seen transactions that the database has not begun yet: it belongs to another cluster, or to a
        /// later state of this one.
        case invalidCursor
        /// The store or the appender was already closed. Nothing was stored.
        case closed
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, why, and what to do. Never holds payloads.
    public let message: String
    /// The stream that the error is about.
    public var stream: StreamID?
    /// What the append expected of the stream.
    public var expected: ExpectedVersion?
    /// How many events the stream held.
    public var found: Int?
    /// The error that led to this one, if another layer reported it.
    public var cause: (any Error)?

    init(_ code: Code, _ message: String, stream: StreamID? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.stream = stream
        self.cause = cause
    }

    /// The message and its cause.
    public var description: String { cause.map { "\(message): \($0)" } ?? message }

    /// A failure to read the log.
    init(cannotRead error: PostgresError) {
        self.init(error, "the log cannot be read")
    }

    /// A failure of a query on the store's connections.
    ///
    /// - Parameter consequence: What does not work because of the failure.
    init(_ error: PostgresError, _ consequence: String) {
        switch error.code {
        case .closed: self.init(.closed, "\(consequence), as the store is closed: open another one", cause: error)
        case _ where error.isRetryable: self.init(.unavailable, "\(consequence) now", cause: error)
        case _ where error.isMissingObject:
            self.init(
                .refused,
                "\(consequence): the recorder's tables are not there: run `recorder migrate up`, or look in another schema",
                cause: error
            )
        default: self.init(.refused, consequence, cause: error)
        }
    }

    /// A failure to make the frame of an event that is appended.
    init(cannotEncode error: PayloadCodecError, _ event: EventID, of stream: StreamID) {
        self.init(
            error.code == .tooLarge ? .invalidAppend : .refused,
            "event \(event) of stream \(stream) cannot be stored",
            stream: stream,
            cause: error
        )
    }

    static func wrongVersion(_ stream: StreamID, expected: ExpectedVersion, found: Int) -> EventStoreError {
        var error = EventStoreError(
            .wrongExpectedVersion,
            "stream \(stream) was expected to hold \(expected.phrase), but holds \(found): read it, decide again",
            stream: stream
        )
        error.expected = expected
        error.found = found
        return error
    }

    static func partlyStored(_ stream: StreamID, expected: ExpectedVersion, found: Int) -> EventStoreError {
        var error = EventStoreError(
            .wrongExpectedVersion,
            "stream \(stream) holds some of the append's event ids, but not all of them one after another in this order: "
                + "an append is repeated whole, or its events get new ids",
            stream: stream
        )
        error.expected = expected
        error.found = found
        return error
    }
}

extension ExpectedVersion {
    fileprivate var phrase: String {
        switch self {
        case .any: "anything"
        case .noStream: "no event"
        case .exists: "at least one event"
        case .exactly(let version): "\(version) events"
        }
    }
}
