internal import Cache
internal import Crypto
package import EventModel

/// What an erasure has done, as its rows tell.
struct ErasureFacts: Sendable {
    let id: Int64
    let subject: StreamID
    let actor: String
    let startedAt: Timestamp
    let finishedAt: Timestamp
    /// A JSON object: how much each step has done; of objects `null` if nobody looked for them.
    let counts: String
    /// Where the person's chain of audited events ended, and ends now, in hexadecimal.
    let headBefore: String?
    let headAfter: String?
    /// Events in the person's streams, and those of which something is sealed.
    let events: Int
    let sealedEvents: Int
    /// Those that are sealed under a key that was not destroyed: another's.
    let readableEvents: Int
    /// SHA-256 over the ids of the events, in their order.
    let eventsHash: String
    /// Whether the log has keys: only then is what comes of the person later stored without its personal values.
    let logIsSealed: Bool
}

/// Says that a person was erased: what, how much, when, by whom.
package struct ErasureCertificate: Sendable {
    /// One JSON object on one line. Its last member, `sha256`, is the hash of the line without that member.
    package private(set) var json: String
    /// The person.
    package let subject: StreamID
    /// Events that hold personal values in the clear, because they were stored before the log was sealed, or are sealed
    /// under another's key: these were not erased.
    package let remaining: Int
    /// Whether the log has keys: only then is what comes of the person later stored without its personal values.
    package let logIsSealed: Bool

    /// The same with the text that was stored, if somebody else finished the erasure first.
    func stored(as json: String) -> ErasureCertificate {
        var certificate = self
        certificate.json = json
        return certificate
    }

    init(_ facts: ErasureFacts, streams: Int, unsealedEvents: Int) {
        subject = facts.subject
        remaining = unsealedEvents + facts.readableEvents
        logIsSealed = facts.logIsSealed
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("certificate")
        writer.string("erasure")
        writer.key("erasure")
        writer.integer(facts.id)
        writer.key("subject")
        writer.string(facts.subject.description)
        writer.key("actor")
        writer.string(facts.actor)
        writer.key("startedAt")
        writer.string(facts.startedAt.description)
        writer.key("finishedAt")
        writer.string(facts.finishedAt.description)
        writer.key("streams")
        writer.integer(Int64(streams))
        writer.key("events")
        writer.integer(Int64(facts.events))
        writer.key("sealedEvents")
        writer.integer(Int64(facts.sealedEvents))
        writer.key("unsealedEvents")
        writer.integer(Int64(unsealedEvents))
        writer.key("readableEvents")
        writer.integer(Int64(facts.readableEvents))
        writer.key("eventsHash")
        writer.string(facts.eventsHash)
        writer.key("logIsSealed")
        writer.bool(facts.logIsSealed)
        writer.key("done")
        writer.raw(facts.counts)
        for (name, head) in [("auditHeadBefore", facts.headBefore), ("auditHeadAfter", facts.headAfter)] {
            writer.key(name)
            if let head { writer.string(head) } else { writer.null() }
        }
        writer.endObject()
        let body = String(decoding: writer.bytes, as: UTF8.self)
        let hash = SHA256.hash(data: Array(body.utf8)).hexadecimal
        json = body.dropLast() + #","sha256":"\#(hash)"}"#
    }
}
