internal import EventModel
internal import EventStore
internal import Postgres
internal import Schema

/// Rows for a ``BatchTable``, in the format of binary COPY.
struct BatchRows: Sendable {
    private(set) var buffer = PostgresBuffer()
    private let columnCount: Int16

    /// - Parameter fields: How many fields the table has.
    init(fields: Int) { columnCount = Int16(clamping: 1 + ProjectionFiles.commonColumns.count + fields) }

    /// Adds an event.
    ///
    /// - Parameters:
    ///   - takers: A bit for each projection that gets it.
    ///   - type: The name of its type.
    ///   - values: What was found in its JSON.
    mutating func append(_ event: StoredEvent, type: EventType, takers: Int64, values: borrowing FieldScan.Values) {
        buffer.append(columnCount: columnCount)
        buffer.append(field: takers)
        buffer.append(field: event.position)
        buffer.append(field: event.stream.uuid)
        buffer.append(field: Int32(event.version))
        buffer.append(field: event.id.uuid)
        buffer.append(field: type.name)
        buffer.append(field: PostgresTimestamp(unixMicroseconds: event.occurredAt.microseconds))
        buffer.append(field: PostgresTimestamp(unixMicroseconds: event.recordedAt.microseconds))
        for field in 0..<values.count {
            if let range = values.range(of: field) {
                buffer.append(values.bytes.bytes.span, in: range)
            } else {
                buffer.appendNull()
            }
        }
    }
}
