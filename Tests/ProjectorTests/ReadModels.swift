import EventModel
import EventStore
import Postgres
import RecorderTesting
import Schema
import Simulator

@testable import Projector

/// A database whose log is given, and whose read models are to be looked at.
struct ReadModels {
    let database: PostgresConfiguration

    static let views = [
        "conversation_sessions", "conversation_turns", "conversation_costs", "audit_logs", "latency_metrics",
        "interruptions",
    ]

    /// Appends events, each on its own, in their order.
    func append(_ appends: [Append]) async throws {
        let outcomes = try await PostgresEventStore(database).withAppender { appender in
            try await appender.append(independently: appends)
        }
        for outcome in outcomes { _ = try outcome.get() }
    }

    /// Simulated sessions, as single-event appends.
    static func simulated(sessions: Int, seed: UInt64) -> [Append] {
        var simulator = ConversationSimulator(seed: seed, startingAt: Timestamp(microseconds: 1_772_438_400_000_000))
        return (0..<sessions).flatMap { _ in
            simulator.nextSession().events.map { Append(stream: $0.stream, events: [$0.event]) }
        }
    }

    /// Projects to the head.
    @discardableResult
    func project(
        batchSize: Int = 1_000,
        workers: Int = 1,
        onFailure: ProjectorOptions.OnFailure = .halt
    ) async throws -> Int {
        let projector = Projector(
            database,
            projections: try ProjectionFiles.newest(in: .embedded),
            options: ProjectorOptions(batchSize: batchSize, workers: workers, onFailure: onFailure)
        )
        return try await projector.runUntilCaughtUp()
    }

    /// Empties the read models and puts their checkpoints back to the beginning.
    func forget() async throws {
        let connection = try await PostgresConnection.connect(database)
        let tables = try await connection.text(
            unsafeSQL: """
                select relname from pg_class where relnamespace = current_schema()::regnamespace
                    and relkind in ('r', 'p') and relname ~ '_v1$' and not relispartition
                """
        )
        let names = tables.compactMap { $0.first.flatMap { $0 } }.joined(separator: ", ")
        try await connection.run(
            unsafeSQL: "truncate \(names); delete from projection_checkpoints; delete from projection_quarantine"
        )
        await connection.close()
    }

    /// All rows of all views, as text, in order.
    func contents() async throws -> [String: [String]] {
        let connection = try await PostgresConnection.connect(database)
        var contents: [String: [String]] = [:]
        for view in Self.views {
            contents[view] = try await connection.text(
                unsafeSQL: "select to_jsonb(v)::text from \(view) v order by 1"
            ).compactMap { $0.first.flatMap { $0 } }
        }
        await connection.close()
        return contents
    }

    /// What a rebuild or a verification leaves behind, and the tables that there are.
    func traces() async throws -> [String] {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.text(
            unsafeSQL: """
                select 'schema ' || nspname from pg_namespace where nspname like 'recorder\\_%'
                union all select 'row ' || projection || shard from projection_rebuilds
                union all select 'stopped ' || stream_id from projection_rebuild_quarantine
                union all select 'partitioned ' || parent from time_partitions
                union all select 'relation ' || oid::regclass from pg_class where relnamespace = 'recorder'::regnamespace
                union all select 'version ' || name || version from schema_projections
                union all select 'checkpoint ' || projection || version || ' ' || shard from projection_checkpoints
                order by 1
                """
        )
        await connection.close()
        return rows.compactMap { $0.first ?? nil }
    }
}
