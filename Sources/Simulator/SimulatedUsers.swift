import EventModel
import FoundationEssentials

/// A user who calls.
struct SimulatedUser: Sendable {
    /// The user's id, which is their stream's name.
    let id: UUID
    /// Their name, as JSON text.
    let name: [UInt8]
    /// Where they call from.
    let address: String
    /// The program they call with.
    let agent: String
}

/// The people who call: a few call often, most seldom. Some are new and register first; some log in before they call.
struct SimulatedUsers: Sendable {
    private static let agents = [
        "VoiceApp/4.2 (iOS 19.1; iPhone17,2)", "VoiceApp/4.2 (Android 16; Pixel 9)",
        "VoiceApp/4.1 (Android 15; SM-S921B)",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "sip-gateway/2.9",
    ]

    private let people: [SimulatedUser]
    private var isKnown: [Bool]

    /// Makes up 300 people, two thirds of whom registered before `start`.
    init(source: consuming SeededSource, registeredBefore start: Timestamp) {
        people = (0..<300).map { index in
            let earlier = start.advanced(by: .seconds(-3600 * source.within(1...9000)))
            return SimulatedUser(
                id: UUID(version7At: earlier, randomHigh: source.next(), randomLow: source.next()),
                name: Array(source.pick(Slot.name.values).utf8),
                address: index % 5 == 0
                    ? "2001:db8:\(String(source.below(65536), radix: 16))::\(String(source.below(65536), radix: 16))"
                    : "198.51.100.\(source.below(256))",
                agent: source.pick(SimulatedUsers.agents)
            )
        }
        isKnown = people.map { _ in source.happens(perMille: 667) }
    }

    /// Picks the user who calls at `moment`, and returns what happened on their own stream shortly before.
    mutating func visit(before moment: Timestamp, source: inout SeededSource) -> (
        user: SimulatedUser, events: [EventLine]
    ) {
        let index = source.below(source.below(people.count) + 1)
        let user = people[index]
        var writer = UserWriter(user: user)
        if !isKnown[index] {
            isKnown[index] = true
            writer.register(at: moment.advanced(by: .seconds(-90)), source: &source)
        }
        if source.happens(perMille: 350) {
            if source.happens(perMille: 120) {
                writer.logIn(at: moment.advanced(by: .seconds(-31)), result: "failure", source: &source)
            }
            writer.logIn(at: moment.advanced(by: .seconds(-12)), result: "success", source: &source)
        }
        return (user, writer.events)
    }
}

/// Writes what happens on a user's stream.
private struct UserWriter {
    let user: SimulatedUser
    var events: [EventLine] = []

    init(user: SimulatedUser) { self.user = user }

    mutating func register(at moment: Timestamp, source: inout SeededSource) {
        var data = JSONWriter()
        data.beginObject()
        data.key("name")
        data.plain { $0.append(contentsOf: user.name) }
        data.key("email")
        data.string("user\(source.below(100_000))@example.com")
        data.key("locale")
        data.string(source.pick(["en-GB", "en-US", "de-DE", "pl-PL", "fr-FR"]))
        data.key("result")
        data.string("success")
        append(.userRegistered, data, at: moment, source: &source)
    }

    mutating func logIn(at moment: Timestamp, result: String, source: inout SeededSource) {
        var data = JSONWriter()
        data.beginObject()
        data.key("method")
        data.string(source.pick(["password", "passkey", "caller_id"]))
        data.key("result")
        data.string(result)
        append(.userLoggedIn, data, at: moment, source: &source)
    }

    private mutating func append(
        _ type: EventType,
        _ data: consuming JSONWriter,
        at moment: Timestamp,
        source: inout SeededSource
    ) {
        data.endObject()
        var metadata = JSONWriter()
        metadata.beginObject()
        metadata.key("actor")
        metadata.plain { user.id.appendText(to: &$0) }
        metadata.key("ipAddress")
        metadata.string(user.address)
        metadata.key("userAgent")
        metadata.string(user.agent)
        metadata.endObject()
        let event = EventDraft(
            valid: EventID(UUID(version7At: moment, randomHigh: source.next(), randomLow: source.next())),
            type: type,
            occurredAt: moment,
            data: data.bytes,
            metadata: metadata.bytes
        )
        events.append(EventLine(stream: StreamID(user.id), event: event))
    }
}
