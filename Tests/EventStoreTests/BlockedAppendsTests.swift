import EventModel
import Testing

@testable import EventStore

@Suite struct BlockedAppendsTests {
    /// The types that have their numbers.
    private let known: EventTypes = {
        var types = EventTypes()
        types.add([(1, EventType.turnStarted.name)])
        return types
    }()

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

    @Test func `appends have their turns, those first that have not been tried for longest`() throws {
        let (first, second, third) = (StreamID.fresh(), StreamID.fresh(), StreamID.fresh())
        var blocked = BlockedAppends()
        let requests = try [first, second, third].map { try request(.turnStarted, to: $0) }
        for request in requests { blocked.note([request], known: known) }
        for stream in [first, second, third, first] {
            var waiting = requests
            let turn = blocked.takeTurn(from: &waiting)
            #expect(turn.map(\.parts.first?.stream) == [stream])
            #expect(waiting.count == 2)
            blocked.note(turn, known: known)
        }
    }

    @Test func `appends that share a stream have one turn together, in their order`() throws {
        let (first, second, third) = (StreamID.fresh(), StreamID.fresh(), StreamID.fresh())
        var blocked = BlockedAppends()
        for stream in [first, third] {
            blocked.note([try request(.turnStarted, to: stream)], known: known)
        }
        var waiting = try [
            request(.turnStarted, to: second), request(.turnStarted, to: third),
            request(.turnStarted, to: first, second),
            request(.turnStarted, to: first),
        ]
        let turn = blocked.takeTurn(from: &waiting)
        #expect(turn.map(\.parts.first?.stream) == [second, first, first])
        #expect(waiting.map(\.parts.first?.stream) == [third])
    }
}
