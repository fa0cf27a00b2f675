/// What happened in an event: one of the contract's types, or any other `noun.past_tense` name.
public struct EventType: Hashable, Sendable, CustomStringConvertible {
    /// The type's index in ``frequent``, which identifies it without its name; `nil` for other types.
    package let place: UInt8?
    /// The name of a type without a place. Frequent types store none, which saves reference counting in each copy of an
    /// event.
    private let otherName: String

    /// The name, 1 to 128 bytes of UTF-8 without U+0000.
    public var name: String { place.map { Self.frequentNames[Int($0)] } ?? otherName }

    /// Takes a name of 1 to 128 bytes.
    ///
    /// - Throws: ``EventModelError`` with code `.invalidField` if it is empty, longer, or holds U+0000.
    public init(_ name: String) throws(EventModelError) {
        guard !name.isEmpty else { throw EventType.refusal("it is empty; name what happened, such as turn.started") }
        guard name.utf8.count <= 128 else { throw EventType.refusal("it is longer than 128 bytes; shorten it") }
        guard !name.utf8.contains(0) else { throw EventType.refusal(JSONFault.Reason.nulCharacter.text) }
        self.init(checked: name)
    }

    /// Takes a name that is already checked.
    private init(checked name: String) {
        place = Self.places[name]
        otherName = place == nil ? name : ""
    }

    /// Whether two names have the same bytes. In Swift, strings that differ only in how Unicode composes a character
    /// are equal; to the database and to producers they are two types.
    public static func == (left: EventType, right: EventType) -> Bool {
        if left.place != nil || right.place != nil { return left.place == right.place }
        return left.otherName.utf8.elementsEqual(right.otherName.utf8)
    }

    /// Hashes the place, or for a type without one the name.
    public func hash(into hasher: inout Hasher) {
        if let place { hasher.combine(place) } else { hasher.combine(otherName) }
    }

    /// The name.
    public var description: String { name }

    private static func refusal(_ reason: String) -> EventModelError {
        EventModelError(.invalidField, field: "type", reason)
    }
}

extension EventType {
    /// A session began; its stream's first event.
    public static let sessionStarted = EventType(checked: "session.started")
    /// A session went from one state to another.
    public static let sessionStateChanged = EventType(checked: "session.state_changed")
    /// A session ended.
    public static let sessionEnded = EventType(checked: "session.ended")
    /// A turn of a session began.
    public static let turnStarted = EventType(checked: "turn.started")
    /// Speech recognition gave a transcript.
    public static let turnTranscribed = EventType(checked: "turn.transcribed")
    /// Retrieval gave documents.
    public static let turnRetrieved = EventType(checked: "turn.retrieved")
    /// A language model answered.
    public static let turnGenerated = EventType(checked: "turn.generated")
    /// Speech synthesis gave audio.
    public static let turnSynthesized = EventType(checked: "turn.synthesized")
    /// Somebody spoke over somebody else.
    public static let turnInterrupted = EventType(checked: "turn.interrupted")
    /// A turn came to its end.
    public static let turnCompleted = EventType(checked: "turn.completed")
    /// A stage of a turn failed.
    public static let turnFailed = EventType(checked: "turn.failed")
    /// A user was registered.
    public static let userRegistered = EventType(checked: "user.registered")
    /// A user's fields changed.
    public static let userUpdated = EventType(checked: "user.updated")
    /// A user proved who they are, or failed to.
    public static let userLoggedIn = EventType(checked: "user.logged_in")

    /// The types that occur most often in a log, the most frequent first.
    package static let frequent = frequentNames.map { EventType(checked: $0) }

    private static let frequentNames = [
        "session.state_changed", "turn.started", "turn.transcribed", "turn.generated", "turn.synthesized",
        "turn.completed", "turn.retrieved", "turn.interrupted", "turn.failed", "session.started", "session.ended",
        "user.logged_in", "user.registered", "user.updated",
    ]
    /// What is compared first of a frequent type's name: its length and its last eight bytes, which no two share.
    private static let marks = frequentNames.map { name in
        (count: name.utf8.count, end: mark(Array(name.utf8).span, name.utf8.count))
    }

    /// The frequent type whose name lies in a range of bytes, if there is one.
    static func frequent(_ bytes: Span<UInt8>, in range: Range<Int>) -> EventType? {
        guard range.count >= 8 else { return nil }
        let end = mark(bytes, range.upperBound)
        for (place, mark) in marks.enumerated() where mark.end == end && mark.count == range.count {
            var index = range.lowerBound
            for byte in frequentNames[place].utf8 {
                guard bytes[index] == byte else { return nil }
                index &+= 1
            }
            return frequent[place]
        }
        return nil
    }

    /// The eight bytes before an offset.
    private static func mark(_ bytes: Span<UInt8>, _ end: Int) -> UInt64 {
        var mark: UInt64 = 0
        for index in end - 8..<end { mark = mark << 8 | UInt64(bytes[index]) }
        return mark
    }

    private static let places = Dictionary(uniqueKeysWithValues: zip(frequentNames, UInt8(0)...))
}
