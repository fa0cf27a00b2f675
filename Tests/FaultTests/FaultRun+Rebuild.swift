import EventModel
import Foundation
import Operations
import Postgres
import RecorderTesting
import Synchronization

/// Rebuilds in the middle of everything, and producers that are killed at the worst moment.
extension FaultRun {
    /// Lets nobody else rebuild a model meanwhile.
    func rebuilding(_ model: String, _ body: () async throws -> Void) async throws {
        guard state.withLock({ $0.rebuilding.insert(model).inserted }) else {
            return say("\(model) is being rebuilt already")
        }
        defer { state.withLock { _ = $0.rebuilding.remove(model) } }
        try await body()
    }

    /// Rebuilds a model; again, if something else went wrong meanwhile.
    ///
    /// - Returns: Whether the run that succeeded went on from an earlier one; `nil` if none succeeded.
    @discardableResult
    func rebuild(_ model: String) async throws -> Bool? {
        // While one fault follows the other it may never come to its end; afterwards it must.
        let end = max(start + plan.length, .now) + .seconds(120)
        while .now < end {
            // As soon as the server can be reached.
            try await query("select 1")
            say("rebuild of \(model)")
            let words = ["projections", "rebuild", model, "--json"]
            let rebuilt = await (try RecorderCommand(words, databaseURL: server.url())).result()
            guard rebuilt.status == 0 else {
                let reason = rebuilt.errors.split(separator: "\n").last { $0.hasPrefix("recorder:") } ?? ""
                say("the rebuild of \(model) ended with \(rebuilt.status): \(reason.prefix(200))")
                // What differs is for whoever looks for the reason.
                for line in rebuilt.output.split(separator: "\n").prefix(3) { say("  \(line.prefix(1_000))") }
                continue
            }
            let isResumed = rebuilt.output.contains(#""resumed":true"#)
            state.withLock { $0.rebuilds[model, default: 0] += 1 }
            say("\(model) is rebuilt\(isResumed ? ", resumed" : "")")
            return isResumed
        }
        differs("\(model) could not be rebuilt")
        return nil
    }

    /// Kills a rebuild when it has read half of the log, and runs it again.
    func killRebuild(_ model: String) async throws {
        let name = "rebuild-\(model)"
        let process = try await RecorderProcess.start(
            ["projections", "rebuild", model, "--batch-size", "50", "--parallelism", "2"],
            databaseURL: "\(server.url()) application_name=\(name)",
            log: folder.appending(path: "\(name).log")
        )
        let half = """
            select coalesce(sum(read) * 2 >= max(total), false) from projection_rebuilds
            where projection = '\(model)' and purpose = 'rebuild'
            """
        while process.isRunning, try await query(half) != [["t"]] {}
        process.send(SIGKILL)
        let status = await process.ended()
        guard status == -SIGKILL else {
            say("the rebuild of \(model) ended with \(status) before it was killed")
            if status != 0 { try await rebuild(model) }
            return
        }
        // What it had sent before may commit still.
        while try await query("select from pg_stat_activity where application_name = '\(name)'").isEmpty == false {}
        guard try await query("select from projection_rebuilds where projection = '\(model)'").isEmpty == false else {
            return say("SIGKILL the rebuild of \(model) (process \(process.id)) as it was done")
        }
        say("SIGKILL the rebuild of \(model) (process \(process.id)), which had read half of the log")
        guard let isResumed = try await rebuild(model) else { return }
        if isResumed {
            state.withLock { $0.resumed += 1 }
        } else {
            differs("the rebuild of \(model) was killed at half and began anew")
        }
    }

    /// Kills a producer when the server has committed a group of its events, before it has read that.
    func killBeforeAcknowledgement(_ producer: Producer) async throws {
        guard let child = producer.child, child.isRunning else {
            return say("producer \(producer.number) does not run yet")
        }
        let connection = try await connect()
        let isCommitted = try? await UnreadCommit.stop(child.id, named: producer.name, on: connection)
        await connection.close()
        let open = producer.open
        let keys = open.map { "('\($0.stream)','\($0.id)')" }.joined(separator: ",")
        var stored: Set<Producer.Key> = []
        if isCommitted == true, !open.isEmpty {
            let rows = try await query(
                "select stream_id, event_id from events where (stream_id, event_id) in (\(keys))"
            )
            stored = Set(rows.compactMap { row in row[0].flatMap { a in row[1].map { .init(stream: a, id: $0) } } })
        }
        state.withLock { [stored] in $0.unread.formUnion(stored) }
        say(
            "SIGKILL producer \(producer.number) (process \(child.id)), "
                + (stored.isEmpty
                    ? "which had nothing committed that it did not know of"
                    : "which cannot have read that \(stored.count) of its events are committed")
        )
        child.send(SIGKILL)
    }
}
