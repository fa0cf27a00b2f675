import EventStore
import Postgres
import RecorderTesting
import Testing

/// Logs whose transaction ids this cluster has given out too.
@Suite struct RestoredIDsTests {
    @Test func `a restore without the roles is not repaired, but told`() async throws {
        try await withTestDatabase { database in
            try await withConnection(database) { connection in
                let policies = try await connection.text(
                    unsafeSQL: "select polname from pg_policy where polrelid = 'events'::regclass"
                )
                for policy in policies.compactMap({ $0[0] }) {
                    try await connection.run(unsafeSQL: "drop policy \(policy) on events")
                }
                let error = await #expect(throws: EventStoreError.self) {
                    try await RestoredLogRepair().run(on: connection)
                }
                #expect(error?.code == .refused)
            }
        }
    }

    /// Ids that this cluster has given out, to transactions of its own that are not over.
    @Test func `a log whose ids mean running transactions here is not taken as it is`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 2, seed: 36))
            try await models.project()
            let before = try await models.contents()
            try await withConnection(database) { running in
                try await running.run(unsafeSQL: "begin")
                let id = try #require(try await running.text(unsafeSQL: "select pg_current_xact_id()")[0][0])
                try await withConnection(database) { connection in
                    try await connection.run(
                        unsafeSQL: """
                            alter table events disable trigger refuse_change;
                            update events set transaction_id = '\(id)' where position = (select max(position) from events);
                            alter table events enable always trigger refuse_change;
                            -- Where it was written, that transaction was over and the checkpoints had seen it.
                            update projection_checkpoints set old_snapshot = format('%s:%1$s:', \(id) + 1)::pg_snapshot,
                                new_snapshot = null;
                            update log_home set system_identifier = 5;
                            """
                    )
                    // A session that thinks of a log of this name as at home is asked about this one.
                    try await withConnection(database) { session in
                        let refused = await #expect(throws: PostgresError.self) {
                            try await session.run(
                                unsafeSQL: """
                                    select set_config('recorder.log_home', 'recorder', false);
                                    select append_event('019cad8f-ac00-7e4e-a7b6-815d4e98868f', 'turn.started', '{}')
                                    """
                            )
                        }
                        #expect(refused?.sqlState == "RC004")
                    }
                    let evidence = try await RestoredLog.evidence(on: connection).map(\.code)
                    #expect(evidence.sorted() == ["checkpoint", "system", "transaction"])
                    let outcome = try await RestoredLogRepair().run(on: connection)
                    #expect(outcome?.action == "rewritten")
                }
                #expect(try await models.project() == 0)
                try await running.run(unsafeSQL: "rollback")
                #expect(try await models.project() == 0)
            }
            #expect(try await models.contents() == before)
        }
    }
}
