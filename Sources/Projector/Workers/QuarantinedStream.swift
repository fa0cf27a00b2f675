package import EventModel
internal import FoundationEssentials
package import Postgres
package import Schema

/// A stream that a projection has stopped at a failing event.
package struct QuarantinedStream: Sendable {
    package let key: ProjectionShard
    package let stream: StreamID
    package let event: EventID
    package let eventVersion: Int
    package let eventType: String
    package let error: String
    package let attempts: Int
    package let since: Timestamp
    package let isRetryRequested: Bool

    static let columns = """
        q.projection, q.version, q.shard, q.stream_id, q.event_id, q.event_version, q.event_type, q.error, q.attempts, \
        q.since, q.retry_requested_at is not null
        """

    init(_ row: borrowing PostgresRow) throws(PostgresError) {
        key = try ProjectionShard(row)
        stream = StreamID(try row.decode(UUID.self, at: 3))
        event = EventID(try row.decode(UUID.self, at: 4))
        eventVersion = try row.decode(at: 5)
        eventType = try row.decode(at: 6)
        error = try row.decode(at: 7)
        attempts = try row.decode(at: 8)
        since = Timestamp(microseconds: try row.decode(PostgresTimestamp.self, at: 9).unixMicroseconds)
        isRetryRequested = try row.decode(at: 10)
    }
}

extension QuarantinedStream {
    /// All streams in quarantine, by projection and time.
    ///
    /// - Throws: `PostgresError`.
    package static func all(on pool: PostgresPool) async throws -> [QuarantinedStream] {
        try await pool.query(Quarantine.SelectAll())
    }

    /// How many streams are in quarantine, by projection version; versions without any are left out.
    ///
    /// - Throws: `PostgresError`.
    package static func counts(on pool: PostgresPool) async throws -> [ProjectionVersion: Int] {
        Dictionary(uniqueKeysWithValues: try await pool.query(Quarantine.Count()))
    }

    /// Asks the owners to try streams again.
    ///
    /// - Parameters:
    ///   - projection: Which projection; `nil` for all.
    ///   - stream: Which stream; `nil` for all.
    /// - Returns: How many streams were asked for.
    /// - Throws: `PostgresError`.
    package static func requestRetry(
        of projection: String?,
        stream: StreamID?,
        on pool: PostgresPool
    ) async throws -> Int {
        try await pool.execute(Quarantine.RequestRetry(projection: projection, stream: stream))
    }
}
