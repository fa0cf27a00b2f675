import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// Appends that wait for what other sessions hold.
@Suite(.timeLimit(.minutes(5))) struct LockedLogTests {
    @Test func `a stream can be appended to as soon as its own blocker is gone, whoever else still waits`() async throws
    {
        try await withStore { store, configuration in
            let streams = [StreamID.fresh(), .fresh()]
            try await withConnection(configuration) { one in
                try await withConnection(configuration) { other in
                    for (stream, blocker) in zip(streams, [one, other]) {
                        try await blocker.run(
                            unsafeSQL: "begin; select append_event('\(stream)', 'turn.started', '{}')"
                        )
                    }
                    try await store.withAppender(limits: .init(connections: 1)) { appender in
                        func append() async throws -> [EventStoreError.Code?] {
                            let results = try await appender.append(
                                independently: streams.map { try .of(to: $0) }
                            )
                            return results.map { result in
                                if case .failure(let error as EventStoreError) = result { error.code } else { nil }
                            }
                        }
                        for _ in 0..<3 { #expect(try await append() == [.unavailable, .unavailable]) }
                        try await other.run(unsafeSQL: "commit")
                        // One group may go by before it is its turn.
                        let outcomes = try await [append(), append(), append()]
                        #expect(outcomes.map { $0[0] } == [.unavailable, .unavailable, .unavailable])
                        #expect(outcomes[1...].map { $0[1] } == [nil, nil])
                        try await one.run(unsafeSQL: "commit")
                        #expect(try await append() == [nil, nil])
                    }
                }
            }
        }
    }
}
