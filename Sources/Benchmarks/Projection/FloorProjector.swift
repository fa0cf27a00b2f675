internal import EventModel
internal import EventStore
internal import Foundation
internal import Postgres

/// The least that a projector can do, written by hand with the same client: woken by the appender, it selects the
/// events after a position, counts them in one row per stream, and commits that with the position. It guarantees
/// nothing that a real one must: it misses events that commit out of order, and two of them would fold the same events
/// twice.
enum FloorProjector {
    /// Runs it beside `body`.
    static func with<R: Sendable>(
        _ database: PostgresConfiguration,
        _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        var configuration = database
        configuration.settings["synchronous_commit"] = "off"
        return try await PostgresConnection.with(configuration) { connection in
            try await connection.run(
                unsafeSQL: """
                    create table floor_sessions (id uuid primary key, version int not null) with (fillfactor = 60);
                    create table floor_checkpoint (position bigint not null) with (fillfactor = 20);
                    insert into floor_checkpoint values (0);
                    """
            )
            let channel = LogChannel.name(schema: database.recorderSchema)
            var notifications = PostgresNotifications(configuration, channels: [channel]).makeAsyncIterator()
            _ = try await notifications.next()
            let listening = notifications
            return try await ProjectorTask.withTask(
                {
                    var notifications = listening
                    var position: Int64 = 0
                    while true {
                        let events = try await connection.query(SelectNew(position: position))
                        if let last = events.last {
                            let fold: [any PostgresStatement] = [
                                Count(events: events), Advance(position: last.position),
                            ]
                            try await connection.transaction(beginsLate: true) { _ = try await $0.commit(after: fold) }
                            position = last.position
                            continue
                        }
                        _ = try await notifications.next()
                    }
                },
                body
            )
        }
    }

    private struct SelectNew: PostgresStatement {
        let position: Int64
        let sql = "select position, stream_id, version from events where position > $1 order by position limit 1000"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(position) }

        func decode(
            _ row: borrowing PostgresRow
        ) throws(PostgresError) -> (position: Int64, stream: UUID, version: Int32) {
            (try row.decode(at: 0), try row.decode(at: 1), try row.decode(at: 2))
        }
    }

    private struct Count: PostgresStatement {
        let events: [(position: Int64, stream: UUID, version: Int32)]
        let sql = """
            insert into floor_sessions select stream, max(version) from unnest($1::uuid[], $2::int[]) as e(stream, version)
            group by stream on conflict (id) do update set version = excluded.version
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(events.map(\.stream))
            try parameters.append(events.map(\.version))
        }
    }

    private struct Advance: PostgresStatement {
        let position: Int64
        let sql = "update floor_checkpoint set position = $1"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(position) }
    }
}
