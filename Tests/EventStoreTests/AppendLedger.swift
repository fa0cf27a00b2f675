import EventModel
import Synchronization
import Testing

@testable import EventStore

/// What writers were told, to be compared with what is stored.
final class AppendLedger: Sendable {
    private struct State {
        var acknowledged: [StreamID: [Int: EventID]] = [:]
        var abandoned: Set<EventID> = []
        var events = 0
    }

    private let state = Mutex(State())

    /// How many events were acknowledged.
    var events: Int { state.withLock { $0.events } }

    /// A writer was told that an event is stored.
    func acknowledge(_ id: EventID, in stream: StreamID, at version: Int) {
        state.withLock { state in
            let before = state.acknowledged[stream, default: [:]].updateValue(id, forKey: version)
            if before == nil { state.events += 1 }
            if let before, before != id { Issue.record("version \(version) of \(stream) was given out twice") }
        }
    }

    /// A writer was told that an append is stored.
    func acknowledge(_ receipt: AppendReceipt, _ ids: [EventID]) {
        for (version, id) in zip(receipt.versions, ids) { acknowledge(id, in: receipt.stream, at: version) }
    }

    /// A writer rolled an event back, and never wrote it again.
    func abandon(_ id: EventID) { state.withLock { _ = $0.abandoned.insert(id) } }

    /// Compares what was acknowledged with what is stored, and what is stored with what a subscriber saw.
    func check(stored: [RecordedEvent], delivered: [RecordedEvent]) {
        let (acknowledged, abandoned) = state.withLock { ($0.acknowledged, $0.abandoned) }
        let streams = Dictionary(grouping: stored, by: \.stream)
        for events in streams.values {
            #expect(events.map(\.version).sorted() == Array(1...events.count), "versions are dense")
            #expect(Set(events.map(\.id)).count == events.count, "no event is stored twice")
        }
        for (stream, versions) in acknowledged {
            let found = Dictionary(uniqueKeysWithValues: (streams[stream] ?? []).map { ($0.version, $0.id) })
            let lost = versions.filter { found[$0.key] != $0.value }
            #expect(lost.isEmpty, "every acknowledged event is stored at its version")
        }
        #expect(!stored.contains { abandoned.contains($0.id) }, "what was rolled back is not stored")
        #expect(stored.count == acknowledged.values.reduce(0) { $0 + $1.count }, "every stored event was acknowledged")

        let seen = Dictionary(grouping: delivered, by: \.stream)
        var missing = 0
        var disordered = 0
        for (stream, events) in streams {
            let versions = (seen[stream] ?? []).map(\.version)
            missing += events.count - Set(versions).count
            if versions != versions.sorted() { disordered += 1 }
        }
        #expect(missing == 0, "every committed event was delivered")
        #expect(delivered.count == stored.count, "each was delivered once")
        #expect(disordered == 0, "each stream was delivered in version order")
    }
}
