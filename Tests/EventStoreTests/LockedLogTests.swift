import EventModel
import PayloadCodec
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

    @Test(arguments: ["events", "events_default", "event_types"])
    func `a lock on a whole table is waited out`(table: String) async throws {
        try await withStore { _, configuration in
            try await withConnection(configuration) { other in
                try await EventAppender.withAppender(
                    to: configuration,
                    limits: .init(connections: 1),
                    encoder: PayloadEncoder(),
                    logger: TestServer.silent
                ) { appender in
                    try await other.run(unsafeSQL: "begin; lock table \(table) in access exclusive mode")
                    let hasEnded = Shared(false)
                    async let receipt = {
                        defer { hasEnded.withLock { $0 = true } }
                        return try await appender.append(.of(to: .random()))
                    }()
                    // What waits for another's append would have been refused by then.
                    let start = ContinuousClock.now
                    try await eventually("two seconds pass") {
                        ContinuousClock.now > start + .seconds(2) || hasEnded.withLock { $0 }
                    }
                    #expect(hasEnded.withLock { !$0 })
                    try await other.run(unsafeSQL: "rollback")
                    #expect(try await receipt.firstVersion == 1)
                }
            }
        }
    }

    @Test func `a lock on a whole table is waited for no longer than the appender is patient`() async throws {
        try await withStore { store, configuration in
            try await withConnection(configuration) { other in
                try await other.run(unsafeSQL: "begin; lock table events in access exclusive mode")
                try await store.withAppender(limits: .init(patience: .milliseconds(500))) { appender in
                    let error = await failure { try await appender.append(.of(to: .fresh())) }
                    #expect(error?.code == .unavailable)
                    #expect(error?.message.contains("locked") == true)
                }
                try await other.run(unsafeSQL: "rollback")
            }
        }
    }

    /// The second has a name as partitions of the log do: it is taken for one, for as long as the appender is patient.
    @Test(arguments: [("audit", EventStoreError.Code.refused), ("events_audit", .unavailable)])
    func `a key of another table that is taken is no race`(table: String, code: EventStoreError.Code) async throws {
        try await withStore { store, configuration in
            try await SealedLog.run(
                """
                create table \(table) (id int primary key);
                create function note_once() returns trigger language plpgsql as $$
                begin insert into \(table) values (1); return new; end $$;
                create trigger note_once before insert on events for each row execute function note_once()
                """,
                on: configuration
            )
            let stream = StreamID.fresh()
            try await store.withAppender(limits: .init(patience: .milliseconds(500))) { appender in
                _ = try await appender.append(.of(to: stream))
                let error = await failure { try await appender.append(.of(to: stream)) }
                #expect(error?.code == code)
            }
            #expect(try await store.read(stream).count == 1)
        }
    }
}
