import Foundation
import Operations
import Postgres
import RecorderTesting
import Testing

@testable import Projector

/// What `recorder projections status` says where workers live and do nothing.
@Suite(.timeLimit(.minutes(5))) struct StatusCommandTests {
    /// Runs `body` on a log that nobody has projected, all of whose shards a living worker holds.
    private func withIdleOwner(_ body: (PostgresConfiguration, PostgresConnection) async throws -> Void) async throws {
        try await withTestDatabase { database in
            let hand = try await WorkerByHand(database)
            let fleet = hand.fleet()
            try await fleet.join()
            let heart = Task { await fleet.run() }
            defer { heart.cancel() }
            try await hand.connection.run(
                unsafeSQL:
                    "update projection_checkpoints set owner = '\(fleet.members[0])', updated_at = clock_timestamp()"
            )
            try await body(database, hand.connection)
            heart.cancel()
            await heart.value
            await fleet.leave()
            await hand.connection.close()
        }
    }

    private func status(_ database: PostgresConfiguration, _ options: String...) async throws -> RecorderCommand.Result
    {
        try await RecorderCommand.run(["projections", "status"] + options, databaseURL: database.url)
    }

    @Test func `with --max-behind it fails if an event waits for longer`() async throws {
        try await withIdleOwner { database, _ in
            let late = try await status(database, "--max-behind", "0")
            #expect(late.status == 1)
            #expect(late.output.contains("more than --max-behind"), "\(late.output)")
            let early = try await status(database, "--max-behind", "1e6")
            #expect(early.status == 0, "\(early.output)")
        }
    }

    @Test func `it fails if events wait for long and nothing moves`() async throws {
        try await withIdleOwner { database, connection in
            try await connection.run(
                unsafeSQL: """
                    update projection_checkpoints set updated_at = updated_at - interval '1 minute';
                    do $$ declare part regclass; begin
                        for part in select relid from pg_partition_tree('events') where isleaf loop
                            execute format('alter table %s disable trigger all', part);
                        end loop;
                    end $$;
                    update events set recorded_at = recorded_at - interval '1 minute'
                    """
            )
            let stuck = try await status(database)
            #expect(stuck.status == 1)
            #expect(stuck.output.contains("nothing has moved"), "\(stuck.output)")
        }
    }

    @Test func `it says where no worker can live because nothing can be written`() async throws {
        try await withTestDatabase { database in
            let hand = try await WorkerByHand(database, only: "conversation_turns")
            try await hand.connection.run(
                unsafeSQL: """
                    insert into projector_workers (id, process, heartbeat_at)
                        values (gen_random_uuid(), 'elsewhere:1', clock_timestamp() - interval '1 minute');
                    do $$ begin
                        execute format('alter database %I set default_transaction_read_only = on', current_database());
                    end $$
                    """
            )
            await hand.connection.close()
            let muted = try await status(database)
            #expect(muted.status == 1)
            #expect(muted.output.contains("transaction_read_only"), "\(muted.output)\(muted.errors)")
            #expect(muted.output.contains("elsewhere:1 was last heard of "), "\(muted.output)")
        }
    }

    @Test func `with --watch it shows a server that is away, and goes on when it is back`() async throws {
        try await withTestServer { server in
            let database = PostgresConfiguration(url: server.url(), schema: "recorder")
            try await TestServer.install(database)
            let watch = try RecorderCommand(["projections", "status", "--watch"], databaseURL: database.url)
            func sees(_ what: String, _ isThere: (Substring) -> Bool) async throws {
                try await eventually(what) { kill(watch.id, 0) != 0 || isThere(watch.outputSoFar[...]) }
            }
            try await sees("the first look") { $0.contains("nothing was projected yet") }
            await server.stopImmediately()
            try await sees("the error") { $0.contains("cannot connect") }
            try await server.restart()
            try await sees("another look") {
                $0.split(separator: "cannot connect").last?.contains("nothing was") == true
            }
            watch.send(SIGINT)
            let ended = await watch.result()
            #expect(ended.status == 0 && ended.output.contains("cannot connect"), "\(ended)")
            #expect(ended.output.hasSuffix("nothing was projected yet: run `recorder project`\n"), "\(ended)")
        }
    }
}
