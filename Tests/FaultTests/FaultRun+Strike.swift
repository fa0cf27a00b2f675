import EventModel
import Foundation
import Operations
import Postgres
import RecorderTesting
import Synchronization

/// The faults themselves.
extension FaultRun {
    /// Lets a fault happen, and returns when it is over.
    func strike(_ kind: FaultPlan.Kind) async throws {
        let name = String("\(kind)".prefix { $0 != "(" })
        state.withLock { $0.faults[name, default: 0] += 1 }
        switch kind {
        case .killProducer(let index):
            guard let child = producers[index].child else { return say("producer \(index) does not run yet") }
            say("SIGKILL producer \(index) (process \(child.id))")
            child.send(SIGKILL)
        case .pauseProducer(let index, let time):
            guard let child = producers[index].child else { return say("producer \(index) does not run yet") }
            await pause(child, "producer \(index)", for: time)
        case .killProjector(let index): try await killProjector(projectors[index])
        case .killBeforeAcknowledgement(let index): try await killBeforeAcknowledgement(producers[index])
        case .pauseProjector(let index, let time):
            guard let child = projectors[index].child else { return say("projector \(index) does not run yet") }
            await disturbing { await pause(child, "projector \(index)", for: time) }
        case .terminateBackends(let count): try await disturbing { try await terminateBackends(count) }
        case .restartServer:
            say("the server is stopped immediately and started again")
            try await disturbing {
                await server.stopImmediately()
                try await server.restart()
            }
            say("the server is back")
        case .holdTransaction(let isElsewhere, let time): await holdTransaction(isElsewhere: isElsewhere, time)
        case .poison: try poison()
        case .refusal(let time): try await refuse(for: time)
        case .rebuild(let models): try await rebuilding(models) { try await rebuild(models) }
        case .killRebuild(let models): try await rebuilding(models) { try await killRebuild(models) }
        }
    }

    private func disturbing<R>(_ body: () async throws -> R) async rethrows -> R {
        disturbances.withLock { $0 = ($0.begun + 1, $0.open + 1) }
        defer { disturbances.withLock { $0.open -= 1 } }
        return try await body()
    }

    private func pause(_ child: RecorderProcess, _ name: String, for time: Duration) async {
        say("SIGSTOP \(name) (process \(child.id)) for \(Figure.seconds(time))")
        child.send(SIGSTOP)
        try? await Task.sleep(for: time)
        child.send(SIGCONT)
        say("SIGCONT \(name)")
    }

    private func killProjector(_ projector: ProjectorSlot) async throws {
        guard let child = projector.child, child.isRunning else {
            return say("projector \(projector.number) does not run yet")
        }
        // Of two that are killed at a time, each disturbs the other's take-over.
        disturbances.withLock { $0.begun += 1 }
        let before = disturbances.withLock { $0 }
        let held = try await query(
            """
            select w.id, count(c.*) from projector_workers w
            left join projection_checkpoints c on c.owner = w.id
            where w.process like '%:\(child.id)' group by 1
            """
        )
        let shards = held.compactMap { $0[1].flatMap { Int($0) } }.reduce(0, +)
        let dead = held.compactMap { $0[0] }.map { "'\($0)'" }.joined(separator: ",")
        let killed = ContinuousClock.now
        say("SIGKILL projector \(projector.number) (process \(child.id)), which holds \(shards) shards")
        child.send(SIGKILL)
        guard shards > 0 else { return }
        let waiting = "select count(*) from projection_checkpoints where owner is null or owner in (\(dead))"
        while try await query(waiting) != [["0"]] {
            guard killed.duration(to: .now) < .seconds(30) else {
                return differs("nobody took the shards of projector \(projector.number) over within 30 s")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let time = killed.duration(to: .now)
        let after = disturbances.withLock { $0 }
        let isDisturbed = before.open > 0 || after.begun > before.begun
        state.withLock { state in
            if isDisturbed { state.disturbedTakeovers.append(time) } else { state.takeovers.append(time) }
        }
        say("\(shards) shards were taken over after \(Figure.seconds(time))\(isDisturbed ? ", with other faults" : "")")
    }

    private func terminateBackends(_ count: Int) async throws {
        let ended = try await query(
            """
            select application_name, pg_terminate_backend(pid) from (
                select pid, application_name from pg_stat_activity
                where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name not like 'fault%'
                order by random() limit \(count)
            ) as victims
            """
        )
        say("\(ended.count) backends are terminated")
    }

    private func holdTransaction(isElsewhere: Bool, _ time: Duration) async {
        let place = isElsewhere ? "another database" : "this database"
        say("a writing transaction stays open in \(place) for \(Figure.seconds(time))")
        let stream = StreamID.generate(at: .now())
        let ids = [EventID.generate(at: .now()), EventID.generate(at: .now())]
        do {
            let connection = try await connect(database: isElsewhere ? "postgres" : nil)
            try await connection.run(unsafeSQL: "begin; select pg_current_xact_id()")
            if isElsewhere {
                try await connection.run(unsafeSQL: "create table fault as select 1")
                try await Task.sleep(for: time)
                try await connection.run(unsafeSQL: "drop table fault; commit")
            } else {
                // The first event comes early, the second late under the same transaction id.
                try await connection.run(
                    unsafeSQL:
                        "select append_event('\(stream)', 'session.started', '{}', event_id => '\(ids[0])')"
                )
                try await Task.sleep(for: time)
                try await connection.run(
                    unsafeSQL: """
                        select append_event('\(stream)', 'session.state_changed', '{"from": "idle", "to": "listening"}',
                            event_id => '\(ids[1])');
                        commit
                        """
                )
                state.withLock { state in
                    for (index, id) in ids.enumerated() {
                        let key = Producer.Key(stream: stream.description, id: id.description)
                        state.acknowledged[key] = index + 1
                    }
                }
            }
            await connection.close()
            say("the transaction in \(place) commits")
        } catch {
            // Its events may be there or not: nobody was told that they are.
            say("the transaction in \(place) is lost with the server")
        }
    }

    private func poison() throws {
        let events = try Session.events(latency: #""soon""#, isFirst: true)
        state.withLock { _ = $0.poisoned.insert(events.stream.description) }
        say("poison in stream \(events.stream)")
        producers[0].inject(events.lines)
    }

    private func refuse(for time: Duration) async throws {
        let number = state.withLock { $0.refused.count }
        let events = try Session.events(latency: "\(987_650_000 + number)", isFirst: false)
        state.withLock { _ = $0.refused.insert(events.stream.description) }
        let constraint = "fault_\(number)"
        try await query(
            """
            alter table conversation_turns_v1 add constraint \(constraint)
            check (llm_latency_ms is distinct from \(987_650_000 + number)) not valid
            """
        )
        say("a constraint refuses what comes in stream \(events.stream)")
        producers[1 + number % 3].inject(events.lines)
        let stopped = "select count(*) from projection_quarantine where stream_id = '\(events.stream)'"
        let isStopped = try await wait(.seconds(20)) { try await query(stopped) == [["1"]] }
        if isStopped {
            try await Task.sleep(for: time)
        } else {
            say("stream \(events.stream) was not stopped within 20 s")
        }
        try await query("alter table conversation_turns_v1 drop constraint if exists \(constraint)")
        try await retry(events.stream)
    }

    private func retry(_ stream: StreamID) async throws {
        func ask() async throws -> RecorderCommand.Result {
            // As soon as the server can be reached.
            try await query("select 1")
            return try await RecorderCommand.run(
                "projections",
                "retry",
                "conversation_turns",
                "--stream",
                "\(stream)",
                databaseURL: server.url()
            )
        }
        var asked = try await ask()
        let end = ContinuousClock.now + .seconds(60)
        while asked.status != 0, .now < end { asked = try await ask() }
        say("the constraint is dropped; projections retry: \(asked.output.trimmingCharacters(in: .newlines))")
    }
}
