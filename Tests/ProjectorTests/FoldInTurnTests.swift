import EventStore
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
                    #expect(outcome.hasMore)
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
