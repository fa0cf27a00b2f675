import EventModel
import Testing

@testable import EventStore

@Suite struct BlockedAppendsTests {
    private func request(_ type: EventType, to streams: StreamID...) throws -> AppendRequest {
        let appends = try streams.map { Append(stream: $0, events: [try EventDraft(id: .fresh(), type: type)]) }
        return try AppendParcel.of(appends, isOneAppend: true).requests[0]
    }

    @Test func `what stands behind an append that waits, and goes to one of its streams, waits with it`() throws {
        let (first, second, third) = (StreamID.fresh(), StreamID.fresh(), StreamID.fresh())
        let new = try EventType("probe.new")
        var blocked = BlockedAppends()
        blocked.note([try request(new, to: .fresh())], known: EventTypes())
        let group = try [
            request(.turnStarted, to: first), request(new, to: first, second), request(.turnStarted, to: third),
            request(.turnStarted, to: second), request(.turnStarted, to: first),
        ]
        let (free, waiting) = blocked.divide(group)
        #expect(free.map(\.parts.first?.stream) == [first, third])
        #expect(waiting.map(\.parts.first?.stream) == [first, second, first])
    }

    @Test func `what was stored blocks nobody any more`() throws {
        let stream = StreamID.fresh()
        var blocked = BlockedAppends()
        let request = try request(.turnStarted, to: stream)
        blocked.note([request], known: EventTypes())
        #expect(blocked.divide([request]).blocked.count == 1)
        blocked.forget([request])
        #expect(blocked.divide([request]).free.count == 1)
    }
}
