internal import EventModel
internal import EventStore
internal import Postgres
internal import Schema

/// The rows of `batch` for one projection, column by column.
struct BatchColumns {
    private var positions = PostgresColumn(of: .int8)
    private var streams = PostgresColumn(of: .uuid)
    private var versions = PostgresColumn(of: .int4)
    private var ids = PostgresColumn(of: .uuid)
    private var types = PostgresColumn(of: .text)
    private var occurredAt = PostgresColumn(of: .timestamptz)
    private var recordedAt = PostgresColumn(of: .timestamptz)
    private var declared: [PostgresColumn]

    /// - Parameter declared: The types of the columns that the projection declares.
    init(declared: [FieldType]) {
        self.declared = declared.map { PostgresColumn(of: $0.postgresType) }
    }

    /// How many rows there are.
    var count: Int { positions.count }

    /// Adds an event.
    ///
    /// - Parameters:
    ///   - event: The stored event.
    ///   - type: The name of its type.
    ///   - fields: For each declared column, the index of its value in `values`.
    ///   - values: What was found in its JSON.
    mutating func append(
        _ event: StoredEvent,
        type: EventType,
        fields: [Int],
        of values: borrowing FieldScan.Values
    ) {
        positions.append(event.position)
        streams.append(event.stream.uuid)
        versions.append(Int32(event.version))
        ids.append(event.id.uuid)
        types.append(type.name)
        occurredAt.append(PostgresTimestamp(unixMicroseconds: event.occurredAt.microseconds))
        recordedAt.append(PostgresTimestamp(unixMicroseconds: event.recordedAt.microseconds))
        for (column, field) in fields.enumerated() {
            declared[column].append(field: values.range(of: field), of: values.bytes)
        }
    }

    /// All columns, in the order of `ProjectionFiles.commonColumns` and then of the projection's declarations.
    var columns: [PostgresColumn] { [positions, streams, versions, ids, types, occurredAt, recordedAt] + declared }
}
