/// What an event says happened: one of the contract's types or any other `noun.past_tense` name.
public struct EventType: Hashable, Sendable, CustomStringConvertible {
    /// The name, 1 to 128 bytes of UTF-8 without U+0000.
    public let name: String

    /// Takes a name of 1 to 128 bytes.
    ///
    /// - Throws: ``EventModelError`` with code `.invalidField` if it is empty, longer, or holds U+0000.
    public init(_ name: String) throws(EventModelError) {
        guard !name.isEmpty else { throw EventType.refusal("it is empty; name what happened, such as turn.started") }
        guard name.utf8.count <= 128 else { throw EventType.refusal("it is longer than 128 bytes; shorten it") }
        guard !name.utf8.contains(0) else { throw EventType.refusal(JSONFault.Reason.nulCharacter.text) }
        self.name = name
    }

    /// Takes a name that is known to be good.
    init(known name: String) { self.name = name }

    /// Whether two names have the same bytes. Strings that differ only in how Unicode composes a character are equal in
    /// Swift, but are two types to the database and to whoever sent them.
    public static func == (left: EventType, right: EventType) -> Bool {
        left.name == right.name && left.name.utf8.elementsEqual(right.name.utf8)
    }

    /// Hashes length and end of the name, which tell the types of a log apart.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name.utf8.count)
        hasher.combine(name.utf8.last)
    }

    /// The name.
    public var description: String { name }

    private static func refusal(_ reason: String) -> EventModelError {
        EventModelError(.invalidField, field: "type", reason)
    }
}

extension EventType {
    /// A session began; its stream's first event.
    public static let sessionStarted = EventType(known: "session.started")
    /// A session went from one state to another.
    public static let sessionStateChanged = EventType(known: "session.state_changed")
    /// A session ended.
    public static let sessionEnded = EventType(known: "session.ended")
    /// A turn of a session began.
    public static let turnStarted = EventType(known: "turn.started")
    /// Speech recognition gave a transcript.
    public static let turnTranscribed = EventType(known: "turn.transcribed")
    /// Retrieval gave documents.
    public static let turnRetrieved = EventType(known: "turn.retrieved")
    /// A language model answered.
    public static let turnGenerated = EventType(known: "turn.generated")
    /// Speech synthesis gave audio.
    public static let turnSynthesized = EventType(known: "turn.synthesized")
    /// Somebody spoke over somebody else.
    public static let turnInterrupted = EventType(known: "turn.interrupted")
    /// A turn came to its end.
    public static let turnCompleted = EventType(known: "turn.completed")
    /// A stage of a turn failed.
    public static let turnFailed = EventType(known: "turn.failed")
    /// A user came to be.
    public static let userRegistered = EventType(known: "user.registered")
    /// A user's fields changed.
    public static let userUpdated = EventType(known: "user.updated")
    /// A user proved who they are, or failed to.
    public static let userLoggedIn = EventType(known: "user.logged_in")

    /// The types that lines of a log are full of, longest waited for first.
    static let frequent: [EventType] = [
        sessionStateChanged, turnStarted, turnTranscribed, turnGenerated, turnSynthesized, turnCompleted, turnRetrieved,
        turnInterrupted, turnFailed, sessionStarted, sessionEnded, userLoggedIn, userRegistered, userUpdated,
    ]
}
