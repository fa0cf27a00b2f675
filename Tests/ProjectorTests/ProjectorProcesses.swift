import Foundation
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// Projectors on one database, and what the database says of them.
final class Projectors: Sendable {
    let database: PostgresConfiguration
    let connection: PostgresConnection
    /// How many shards all projections have together.
    let shards: Int

    init(_ database: PostgresConfiguration) async throws {
        self.database = database
        let most = ProjectorOptions().shards
        shards = try ProjectionFiles.newest(in: .embedded).reduce(0) { $0 + min(most, $1.mostShards ?? most) }
        connection = try await PostgresConnection.connect(database)
    }

    func start(_ name: String, _ options: String...) throws -> RecorderCommand {
        try RecorderCommand(
            ["project", "--workers", "2"] + options,
            databaseURL: database.url + " application_name=\(name)"
        )
    }

    /// How many shards each process holds under a good lease.
    func loads() async throws -> [Int32: Int] {
        let rows = try await connection.text(
            unsafeSQL: """
                select split_part(w.process, ':', -1), count(*) from projection_checkpoints c
                join projector_workers w on w.id = c.owner
                where w.heartbeat_at > clock_timestamp() - interval '3 s' group by 1
                """
        )
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                (row[0].flatMap { Int32($0) } ?? 0, row[1].flatMap { Int($0) } ?? 0)
            }
        )
    }

    /// How long to wait for what must come.
    let patience = Duration.seconds(300)

    /// Waits until the shards are shared out so.
    func wait(_ what: String, until condition: ([Int32: Int]) -> Bool) async throws {
        let end = ContinuousClock.now + patience
        while true {
            let loads = try await loads()
            if condition(loads) { return }
            guard ContinuousClock.now < end else {
                let sessions = try await connection.text(
                    unsafeSQL: """
                        select application_name, state, wait_event, pg_blocking_pids(pid), pid, left(query, 60)
                        from pg_stat_activity where datname = current_database()
                        """
                )
                Issue.record("not within \(patience): \(what); loads are \(loads); sessions are \(sessions)")
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Waits until the only holder of all shards is a process.
    func waitForSole(_ process: RecorderCommand) async throws {
        try await wait("process \(process.id) holds all") { $0 == [process.id: shards] }
    }

    /// Waits until everything that is stored was folded.
    func waitForHead() async throws {
        let end = ContinuousClock.now + patience
        while try await connection.query(ProjectionStatus.Select(until: nil)).contains(where: {
            $0.eventsBehind > 0
        }) {
            guard ContinuousClock.now < end else {
                Issue.record("not caught up within \(patience)")
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// Runs a test with projectors that have shared out all shards, each a process; kills them afterwards.
func withProjectors(_ names: [String], _ body: (Projectors, [RecorderCommand]) async throws -> Void)
    async throws
{
    try await withTestDatabase { database in
        let projectors = try await Projectors(database)
        var processes: [RecorderCommand] = []
        defer { for process in processes { process.send(SIGKILL) } }
        for name in names { processes.append(try projectors.start(name)) }
        try await projectors.wait("all shards have owners") { loads in
            loads.count == names.count && loads.values.reduce(0, +) == projectors.shards
        }
        try await body(projectors, processes)
        await projectors.connection.close()
    }
}
