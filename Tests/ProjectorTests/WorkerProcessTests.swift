import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Projector

/// Projectors as processes of their own, which are killed, stopped and asked to end.
@Suite struct WorkerProcessTests {
    /// How long that takes is told by the fault suite, whose tests run alone.
    @Test func `what a killed process held is taken over`() async throws {
        try await withProjectors(["first", "second"]) { projectors, processes in
            processes[0].send(SIGKILL)
            try await projectors.waitForSole(processes[1])
            let models = ReadModels(database: projectors.database)
            try await models.append(ReadModels.simulated(sessions: 2, seed: 31))
            try await projectors.waitForHead()
            #expect(try await models.contents()["conversation_sessions"]?.count == 2)
        }
    }

    @Test func `a process stopped in the middle of a batch for longer than its lease writes nothing after it`()
        async throws
    {
        try await withProjectors(["first"]) { projectors, processes in
            let models = ReadModels(database: projectors.database)
            // Says of each write to a checkpoint whose it was.
            try await projectors.connection.run(
                unsafeSQL: """
                    create table checkpoint_writes as
                        select ''::text as process, owner as before, owner as after, events from projection_checkpoints limit 0;
                    create function note_write() returns trigger language plpgsql security definer
                    set search_path from current as $$
                    begin
                        insert into checkpoint_writes
                        values (current_setting('application_name'), old.owner, new.owner, new.events - old.events);
                        return null;
                    end $$;
                    create trigger note_write after update on projection_checkpoints
                        for each row execute function note_write();
                    """
            )
            let blocker = try await PostgresConnection.connect(projectors.database)
            try await blocker.run(unsafeSQL: "begin; lock table conversation_turns_v1 in share mode")
            try await models.append(ReadModels.simulated(sessions: 3, seed: 32))
            // Databases made from one template have the same numbers for their tables.
            let blocked = """
                select count(*) > 0 from pg_locks where not granted and relation = 'conversation_turns_v1'::regclass
                    and database = (select oid from pg_database where datname = current_database())
                """
            try await eventually("the batch waits for the lock") {
                try await projectors.connection.text(unsafeSQL: blocked) == [["t"]]
            }
            processes[0].send(SIGSTOP)
            try await blocker.run(unsafeSQL: "commit")
            await blocker.close()
            let second = try projectors.start("second")
            defer { second.send(SIGKILL) }
            try await projectors.waitForSole(second)
            try await projectors.waitForHead()
            let expected = try await models.contents()
            #expect(expected["conversation_sessions"]?.count == 3)

            processes[0].send(SIGCONT)
            try await projectors.wait("the stopped one works again") {
                $0.count == 2 && $0.values.reduce(0, +) == projectors.shards
            }
            #expect(try await models.contents() == expected)
            let foreign = try await projectors.connection.text(
                unsafeSQL: """
                    select count(*) from checkpoint_writes as written
                    join projector_workers as w on w.id = written.before
                    where written.process = 'first' and written.events > 0 and w.process not like '%:\(processes[0].id)'
                    """
            )
            #expect(foreign == [["0"]])
            try await models.forget()
            processes[0].send(SIGTERM)
            second.send(SIGTERM)
            _ = await (processes[0].result(), second.result())
            try await models.forget()
            try await models.project()
            #expect(try await models.contents() == expected)
        }
    }

    @Test func `a process stopped while it sends a batch does not keep the shards that the batch has locked`()
        async throws
    {
        try await withTestDatabase { database in
            let projectors = try await Projectors(database)
            let models = ReadModels(database: database)
            // More than the buffers between client and server hold.
            try await models.append(ReadModels.simulated(sessions: 40, seed: 36))
            try await models.project()
            let expected = try await models.contents()
            try await models.forget()
            let blocker = try await PostgresConnection.connect(database)
            try await blocker.run(unsafeSQL: "begin; lock table conversation_turns_v1 in share mode")
            let first = try projectors.start("first", "--batch-size", "10000")
            defer { first.send(SIGKILL) }
            let waiting = "wait_event_type = 'Lock' and datname = current_database()"
            func wait(_ state: String, for isSo: Bool) async throws {
                let session = "select from pg_stat_activity where application_name = 'first' and \(state)"
                let end = ContinuousClock.now + projectors.patience
                while try await projectors.connection.text(unsafeSQL: session).isEmpty == isSo {
                    try #require(.now < end, "\(isSo ? "no" : "a") session of the first process: \(state)")
                }
            }
            try await wait(waiting, for: true)
            first.send(SIGSTOP)
            try await blocker.run(unsafeSQL: "rollback")
            await blocker.close()
            // It has its lock, and waits for the rest of the batch; or it had all of it already, and commits.
            try await wait(waiting, for: false)
            let second = try projectors.start("second")
            defer { second.send(SIGKILL) }
            try await projectors.waitForSole(second)
            try await projectors.waitForHead()
            #expect(try await models.contents() == expected)
            first.send(SIGCONT)
            try await projectors.wait("the stopped one works again") {
                $0.count == 2 && $0.values.reduce(0, +) == projectors.shards
            }
            #expect(try await models.contents() == expected)
            await projectors.connection.close()
        }
    }

    @Test func `SIGTERM finishes the batch and gives the leases back at once`() async throws {
        try await withProjectors(["first", "second"]) { projectors, processes in
            let models = ReadModels(database: projectors.database)
            try await models.append(ReadModels.simulated(sessions: 3, seed: 33))
            processes[0].send(SIGTERM)
            let stopped = await processes[0].result()
            #expect(stopped.status == 0, "\(stopped.errors)")
            let left = try await projectors.connection.text(
                unsafeSQL: "select count(*) from projector_workers where process like '%:\(processes[0].id)'"
            )
            #expect(left == [["0"]])
            let orphans = try await projectors.connection.text(
                unsafeSQL: """
                    select count(*) from projection_checkpoints
                    where owner is not null and owner not in (select id from projector_workers)
                    """
            )
            #expect(orphans == [["0"]], "a lease has to run out")
            try await projectors.waitForSole(processes[1])
            try await projectors.waitForHead()
            #expect(try await models.contents()["conversation_sessions"]?.count == 3)

            // Now nobody is left, and the status says so.
            let url = projectors.database.url
            let well = try await RecorderCommand.run("projections", "status", databaseURL: url)
            #expect(well.status == 0, "\(well.output)\(well.errors)")
            processes[1].send(SIGTERM)
            #expect(await processes[1].result().status == 0)
            let unowned = try await projectors.connection.text(
                unsafeSQL: "select count(*) from projection_checkpoints where owner is null"
            )
            #expect(unowned == [["\(projectors.shards)"]])
            let ill = try await RecorderCommand.run("projections", "status", databaseURL: url)
            #expect(ill.status == 1)
            #expect(ill.output.contains("nobody works on shards 0, 1, 2"), "\(ill.output)")
        }
    }

    @Test func `a projection whose owner was killed has no owner, and the status says so`() async throws {
        try await withProjectors(["first"]) { projectors, processes in
            processes[0].send(SIGKILL)
            try await projectors.wait("the lease has run out") { $0.isEmpty }
            let status = try await RecorderCommand.run("projections", "status", databaseURL: projectors.database.url)
            #expect(status.status == 1)
            #expect(status.output.contains("nobody works on"), "\(status.output)")
            #expect(status.output.contains(":\(processes[0].id) was last heard of "), "\(status.output)")
        }
    }

    @Test func `shards are balanced whenever workers come and go`() async throws {
        try await withProjectors(["first"]) { projectors, processes in
            let others = [try projectors.start("second"), try projectors.start("third")]
            defer { for other in others { other.send(SIGKILL) } }
            // Six workers, 16 shards: two or three a worker, of each projection but the one with a single shard.
            let spread = projectors.shards - 1
            try await projectors.wait("three processes share the work") { loads in
                loads.count == 3
                    && loads.values.allSatisfy { (spread / 4...spread * 3 / 8 + 1).contains($0) }
                    && loads.values.reduce(0, +) == projectors.shards
            }
            others[1].send(SIGTERM)
            #expect(await others[1].result().status == 0)
            try await projectors.wait("two processes share the work") { loads in
                Set(loads.keys) == [processes[0].id, others[0].id] && Set(loads.values) == [spread / 2, spread / 2 + 1]
            }
            others[0].send(SIGKILL)
            try await projectors.waitForSole(processes[0])
        }
    }

    /// Whose lock a worker meets.
    enum Obstacle: String, CaseIterable {
        case checkpoint = "select from projection_checkpoints for update"
        case readModel = "lock table conversation_turns_v1 in share mode"
    }

    @Test(arguments: Obstacle.allCases, [false, true])
    func `a worker whose statement waits in vain, or is cancelled, goes on as soon as it can`(
        obstacle: Obstacle,
        isCancelled: Bool
    ) async throws {
        try await withTestDatabase { database in
            let projectors = try await Projectors(database)
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 2, seed: 34))
            try await models.project()
            try await models.append(ReadModels.simulated(sessions: 4, seed: 35))
            let blocker = try await PostgresConnection.connect(database)
            try await blocker.run(unsafeSQL: "begin; \(obstacle.rawValue)")
            let process = try projectors.start("waiting")
            defer { process.send(SIGKILL) }
            /// Waits until a statement of the process waits that began after another one did.
            func waitForLock(after earlier: String) async throws -> (pid: String, since: String) {
                let end = ContinuousClock.now + projectors.patience
                while .now < end {
                    let row = try await projectors.connection.text(
                        unsafeSQL: """
                            select pid, query_start from pg_stat_activity where application_name = 'waiting'
                                and wait_event_type = 'Lock' and query_start > '\(earlier)'
                                and datname = current_database()
                            """
                    ).first
                    if let pid = row?[0], let since = row?[1] { return (pid, since) }
                }
                Issue.record("nothing of the process waits any more")
                throw CancellationError()
            }
            let first = try await waitForLock(after: "-infinity")
            if isCancelled {
                _ = try await projectors.connection.text(unsafeSQL: "select pg_cancel_backend(\(first.pid))")
            }
            // As long again as a lock is waited for: each of the two workers has begun again by then.
            let second = try await waitForLock(after: first.since)
            _ = try await waitForLock(after: second.since)
            try await blocker.run(unsafeSQL: "rollback")
            await blocker.close()
            try await projectors.waitForSole(process)
            try await projectors.waitForHead()
            // Nobody's SQL was at fault; who waited for long is not told of any more.
            try await eventually("no error is left") {
                try await projectors.connection.text(
                    unsafeSQL: "select from projection_checkpoints where error is not null"
                ).isEmpty
            }
            process.send(SIGTERM)
            let ended = await process.result()
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(try await models.contents()["conversation_sessions"]?.count == 6)
            await projectors.connection.close()
        }
    }
}
