package import EventModel
internal import FoundationEssentials
package import Postgres

/// An event as its row holds it: the type as an id, the payload as a frame.
package struct StoredEvent: Sendable {
    package let position: Int64
    package let stream: StreamID
    package let version: Int
    package let id: EventID
    /// The type's interned id.
    package let type: Int16
    package let occurredAt: Timestamp
    package let recordedAt: Timestamp
    /// The frame of data and metadata.
    package let payload: [UInt8]

    /// The columns that ``init(_:)`` reads, in order.
    package static let columns = "position, stream_id, version, event_id, type, occurred_at, recorded_at, payload"

    /// Builds a row, for tools that have events without a log.
    package init(
        position: Int64,
        stream: StreamID,
        version: Int,
        id: EventID,
        type: Int16,
        occurredAt: Timestamp,
        recordedAt: Timestamp,
        payload: [UInt8]
    ) {
        self.position = position
        self.stream = stream
        self.version = version
        self.id = id
        self.type = type
        self.occurredAt = occurredAt
        self.recordedAt = recordedAt
        self.payload = payload
    }

    /// Reads a row of a query that selects ``columns``.
    package init(_ row: borrowing PostgresRow) throws(PostgresError) {
        position = try row.int64(at: 0)
        stream = StreamID(try row.uuid(at: 1))
        version = Int(try row.int32(at: 2))
        id = EventID(try row.uuid(at: 3))
        type = try row.int16(at: 4)
        occurredAt = Timestamp(microseconds: try row.unixMicroseconds(at: 5))
        recordedAt = Timestamp(microseconds: try row.unixMicroseconds(at: 6))
        payload = try row.bytes(at: 7)
    }
}
