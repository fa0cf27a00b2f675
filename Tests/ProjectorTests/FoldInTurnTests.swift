import EventModel
import EventStore
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import Projector

/// Small batches, which projections of all events fold in a transaction before the others'.
@Suite struct FoldInTurnTests {
    private struct SelectCheckpoints: PostgresStatement {
        let sql = "select \(Checkpoint.columns) from projection_checkpoints as c"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Checkpoint { try Checkpoint(row) }
    }

    @Test func `a few events are folded in turn, but not where one is sealed, and not many`() throws {
        let (stream, now) = (StreamID.generate(at: .now()), Timestamp.now())
        func event(_ payload: [UInt8]) -> StoredEvent {
            StoredEvent(
                position: 1,
                stream: stream,
                version: 1,
                id: .generate(at: now),
                type: 0,
                occurredAt: now,
                recordedAt: now,
                payload: payload
            )
        }
        let seal = PayloadSeal(
            data: [5..<8],
            metadata: [],
            keyID: 7,
            key: SubjectKey(),
            identity: PayloadIdentity(stream: stream.uuid, event: EventID.generate(at: now).uuid)
        )
        let data = Array(#"{"a":"b"}"#.utf8)
        let clear = event(try PayloadEncoder().encode(data: data, metadata: []).frame)
        let sealed = event(try PayloadEncoder().encode(data: data, metadata: [], sealing: seal).frame)
        #expect([clear].mayBeFoldedInTurn)
        #expect(Array(repeating: clear, count: 4).mayBeFoldedInTurn)
        #expect(!Array(repeating: clear, count: 5).mayBeFoldedInTurn)
        #expect(![sealed].mayBeFoldedInTurn)
        #expect(![clear, sealed].mayBeFoldedInTurn)
    }

    @Test func `a projection that fails in its turn stays where it was, and nothing is folded twice or left out`()
        async throws
    {
        try await withTestDatabase { database in
            let hand = try await WorkerByHand(database)
            try await hand.connection.run(
                unsafeSQL:
                    "alter table conversation_turns_v1 add constraint second check (turn_index is distinct from 2)"
            )
            var owned = try await hand.claim(hand.worker)
            var cursors: Set<Int> = []
            let error = await #expect(throws: PostgresError.self) {
                while true {
                    let outcome = try await hand.round(owned, batchSize: 3)
                    owned = outcome.owned
                    cursors.insert(Set(owned.values.map(\.cursor)).count)
                    try #require(outcome.hasMore)
                    // What the worker believes is what the database says.
                    for checkpoint in try await hand.connection.query(SelectCheckpoints()) {
                        #expect(owned[checkpoint.key]?.checkpoint == checkpoint)
                    }
                }
            }
            #expect(error?.constraint == "second")
            #expect(cursors == [1, 2], "sessions went on, and those that were to be folded with it were left behind")

            try await hand.connection.run(unsafeSQL: "alter table conversation_turns_v1 drop constraint second")
            var hasMore = true
            while hasMore {
                let outcome = try await hand.round(owned, batchSize: 3)
                (owned, hasMore) = (outcome.owned, outcome.hasMore)
            }
            await hand.connection.close()
            let models = ReadModels(database: database)
            let inTurn = try await models.contents()
            try await models.forget()
            try await models.project()
            try await #expect(models.contents() == inTurn)
        }
    }
}
