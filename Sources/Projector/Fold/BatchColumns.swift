internal import EventModel
internal import EventStore
internal import Postgres

/// One column of a batch as the binary array that a statement binds.
struct ArrayColumn {
    let type: PostgresType
    private var buffer = PostgresBuffer()
    private(set) var count = 0

    /// Where the array's header has its length.
    ///
    /// Source: `array_recv` in PostgreSQL's `src/backend/utils/adt/arrayfuncs.c`.
    private static let countOffset = 12

    /// - Parameter type: The elements' type.
    init(of type: PostgresType) {
        self.type = type
        buffer.append(Int32(1))
        buffer.append(Int32(1))
        buffer.append(type.rawValue)
        buffer.append(Int32(0))
        buffer.append(Int32(1))
    }

    /// Appends a value.
    mutating func append(_ value: some PostgresEncodable) {
        buffer.append(field: value)
        count += 1
    }

    /// Appends a value that is encoded behind its length already; `nil` is NULL.
    mutating func append(field range: Range<Int>?, of bytes: borrowing PostgresBuffer) {
        if let range { buffer.append(bytes.bytes.span, in: range) } else { buffer.appendNull() }
        count += 1
    }

    /// The whole array.
    func finished() -> PostgresBuffer {
        var array = buffer
        array.replace(at: Self.countOffset, with: Int32(count))
        return array
    }
}

/// The rows of `batch` for one projection, column by column.
struct BatchColumns {
    private var positions = ArrayColumn(of: .int8)
    private var streams = ArrayColumn(of: .uuid)
    private var versions = ArrayColumn(of: .int4)
    private var ids = ArrayColumn(of: .uuid)
    private var types = ArrayColumn(of: .text)
    private var occurredAt = ArrayColumn(of: .timestamptz)
    private var recordedAt = ArrayColumn(of: .timestamptz)
    private var declared: [ArrayColumn]

    /// - Parameter declared: The types of the columns that the projection declares.
    init(declared: [FieldType]) {
        self.declared = declared.map { ArrayColumn(of: $0.postgresType) }
    }

    /// How many rows there are.
    var count: Int { positions.count }

    /// Adds an event.
    ///
    /// - Parameters:
    ///   - event: Its row.
    ///   - type: The name of its type.
    ///   - fields: For each declared column, where its value stands in `values`.
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

    /// All columns as arrays, in the order of `ProjectionFiles.commonColumns`.
    func arrays() -> [(type: PostgresType, array: PostgresBuffer)] {
        ([positions, streams, versions, ids, types, occurredAt, recordedAt] + declared).map {
            ($0.type.array, $0.finished())
        }
    }
}
