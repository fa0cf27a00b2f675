internal import Cache
internal import Crypto
package import EventModel

/// What an erasure has done, read from the database.
struct ErasureFacts: Sendable {
    let id: Int64
    let subject: StreamID
    let actor: String
    let startedAt: Timestamp
    let finishedAt: Timestamp
    /// A JSON object: how much each step has done; `objects` is `null` if objects were not searched.
    let counts: String
    /// The head hash of the person's audit chain before the erasure, and now, in hexadecimal.
    let headBefore: String?
    let headAfter: String?
    /// How many events the person's streams hold, and how many of those have sealed fields.
    let events: Int
    let sealedEvents: Int
    /// How many of those are sealed under a key that was not destroyed: another person's.
    let readableEvents: Int
    /// SHA-256 over the events' ids, in the order of their positions.
    let eventsHash: String
    /// Whether the log has keys: only then are the person's later events stored without personal values.
    let logIsSealed: Bool
}

/// Says that a person was erased: what, how much, when, by whom.
package struct ErasureCertificate: Sendable {
    /// One JSON object on one line. Its last member, `sha256`, is the hash of the line without that member.
    package private(set) var json: String
    /// The person.
    package let subject: StreamID
    /// How many events were not erased: they hold personal values in the clear, because they were stored before the log
    /// was sealed, or are sealed under another person's key.
    package let remaining: Int
    /// Whether the log has keys: only then are the person's later events stored without personal values.
    package let logIsSealed: Bool

    /// The same certificate with the stored text, which differs if another run finished the erasure first.
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
