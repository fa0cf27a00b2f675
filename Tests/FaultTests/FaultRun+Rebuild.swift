import EventModel
import Foundation
import Operations
import Postgres
import RecorderTesting
import Synchronization

/// Rebuilds in the middle of everything, and producers that are killed at the worst moment.
extension FaultRun {
    /// Lets nobody else rebuild models meanwhile.
    func rebuilding(_ models: [String], _ body: () async throws -> Void) async throws {
        let isAlone = state.withLock { state in
            guard state.rebuilding.isDisjoint(with: models) else { return false }
            state.rebuilding.formUnion(models)
            return true
        }
        guard isAlone else { return say("one of \(models) is being rebuilt already") }
        defer { state.withLock { $0.rebuilding.subtract(models) } }
        try await body()
    }

    /// Rebuilds models together; those that were not swapped again, if something else went wrong meanwhile.
    ///
    /// - Returns: For each model that was swapped, whether that run went on from an earlier one.
    @discardableResult
    func rebuild(_ models: [String]) async throws -> [String: Bool] {
        var done: [String: Bool] = [:]
        // While one fault follows the other it may never come to its end; afterwards it must.
        let end = max(start + plan.length, .now) + .seconds(120)
        while .now < end {
            // As soon as the server can be reached.
            try await query("select 1")
            let rest = models.filter { done[$0] == nil }
            say("rebuild of \(rest)")
            let words = ["projections", "rebuild"] + rest + ["--json"]
            let rebuilt = await (try RecorderCommand(words, databaseURL: server.url())).result()
            for model in rest {
                let lines = rebuilt.output.split(separator: "\n")
                guard let line = lines.first(where: { $0.contains(#""projection":"\#(model)""#) }) else { continue }
                let isResumed = line.contains(#""resumed":true"#)
                done[model] = isResumed
                state.withLock { $0.rebuilds[model, default: 0] += 1 }
                say("\(model) is rebuilt\(isResumed ? ", resumed" : "")")
            }
            if rebuilt.status == 0 {
                if done.count < models.count {
                    differs("a rebuild of \(models) said nothing of some: \(done.keys.sorted())")
                }
                return done
            }
            let reason = rebuilt.errors.split(separator: "\n").last { $0.hasPrefix("recorder:") } ?? ""
            say("the rebuild of \(rest) ended with \(rebuilt.status): \(reason.prefix(200))")
            // What differs is for whoever looks for the reason.
            for line in rebuilt.output.split(separator: "\n").prefix(3) { say("  \(line.prefix(1_000))") }
            if done.count == models.count { return done }
        }
        differs("\(models.filter { done[$0] == nil }) could not be rebuilt")
        return done
    }

    /// Kills a rebuild when it has read half of the log, and runs it again.
    func killRebuild(_ models: [String]) async throws {
        let name = "rebuild-\(models.joined(separator: "-"))"
        let process = try await RecorderProcess.start(
            ["projections", "rebuild"] + models + ["--batch-size", "50", "--parallelism", "2"],
            databaseURL: "\(server.url()) application_name=\(name)",
            log: folder.appending(path: "\(name).log")
        )
        let mine = "projection in (\(models.map { "'\($0)'" }.joined(separator: ", "))) and purpose = 'rebuild'"
        let half = """
            select count(distinct projection) = \(models.count) and bool_and(read * 2 >= total) from (
                select projection, sum(read) as read, max(total) as total from projection_rebuilds where \(mine)
                group by projection
            ) as shadow
            """
        // While one fault follows the other this may take long.
        try await eventually("the rebuild of \(models) reads half", within: plan.length + .seconds(300)) {
            if !process.isRunning { return true }
            return try await query(half) == [["t"]]
        }
        process.send(SIGKILL)
        let status = await process.ended()
        guard status == -SIGKILL else {
            say("the rebuild of \(models) ended with \(status) before it was killed")
            if status != 0 { try await rebuild(models) }
            return
        }
        // What it had sent before may commit still.
        try await eventually("the sessions of the killed rebuild of \(models) have ended") {
            try await query("select from pg_stat_activity where application_name = '\(name)'").isEmpty
        }
        let left = try await query("select distinct projection from projection_rebuilds where \(mine)")
            .compactMap { $0.first ?? nil }
        guard !left.isEmpty else {
            return say("SIGKILL the rebuild of \(models) (process \(process.id)) as it was done")
        }
        say("SIGKILL the rebuild of \(models) (process \(process.id)), which had read half of the log")
        let done = try await rebuild(models)
        for model in left {
            switch done[model] {
            case true: state.withLock { $0.resumed += 1 }
            case false: differs("the rebuild of \(model) was killed at half and began anew")
            default: continue
            }
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
        // While that waited, another fault may have struck it: what is open now is the next process's.
        guard child.isRunning else {
            return say("producer \(producer.number) (process \(child.id)) was killed meanwhile")
        }
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
