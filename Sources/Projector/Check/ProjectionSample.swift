internal import EventModel
internal import EventStore
internal import Postgres
internal import Schema

/// The sample events that a projection handles, with its declared fields; every batch is made of these rows.
struct ProjectionSample: Sendable {
    private struct Row {
        let event: StoredEvent
        let type: EventType
        let values: FieldScan.Values
    }

    private let projection: ProjectionFiles
    private var rows: [Row] = []
    /// For each row, its stream's number; streams are numbered in the order of their first events.
    private(set) var streams: [Int] = []
    /// The streams' ids by number.
    private(set) var streamIDs: [StreamID] = []
    /// For each column with values that do not fit, the type of the first such event.
    private(set) var misfits: [(column: Int, type: EventType)] = []
    /// The types of the sample events that the projection handles.
    private(set) var types: Set<String> = []
    /// The columns that no event has a value for.
    private(set) var missing: Set<Int>

    /// Picks out the events that a projection handles, as if the sample were the whole log.
    ///
    /// - Throws: `JSONFault` if an event's JSON cannot be read, which an `EventLine` rules out.
    init(_ events: [EventLine], for projection: ProjectionFiles) throws {
        self.projection = projection
        missing = Set(projection.columns.indices)
        let scan = FieldScan(projection.columns.map { FieldScan.Field(path: $0.path, type: $0.type) })
        let wanted = scan.wanted(projection.columns.indices)
        var versions: [StreamID: Int] = [:]
        var numbers: [StreamID: Int] = [:]
        for (index, line) in events.enumerated() {
            let version = versions[line.stream, default: 0] + 1
            versions[line.stream] = version
            guard projection.handles(line.event.type) else { continue }
            types.insert(line.event.type.name)
            let json = line.event.data + line.event.metadata
            var values = FieldScan.Values(count: scan.fields.count)
            let data = 0..<line.event.data.count
            let metadata = data.upperBound..<json.count
            if projection.reads(line.event.type) {
                try scan.scan(json.span, data: data, metadata: metadata, for: wanted, into: &values)
            }
            for misfit in values.misfits where !misfits.contains(where: { $0.column == misfit }) {
                misfits.append((misfit, line.event.type))
            }
            for column in projection.columns.indices where values.range(of: column) != nil { missing.remove(column) }
            let number = numbers[line.stream] ?? streamIDs.count
            if numbers.updateValue(number, forKey: line.stream) == nil { streamIDs.append(line.stream) }
            streams.append(number)
            let time = line.event.occurredAt ?? Timestamp(microseconds: Int64(index) * 1_000_000)
            rows.append(
                Row(
                    event: StoredEvent(
                        position: Int64(index + 1),
                        stream: line.stream,
                        version: version,
                        id: line.event.id,
                        type: 0,
                        occurredAt: time,
                        recordedAt: time,
                        payload: []
                    ),
                    type: line.event.type,
                    values: values
                )
            )
        }
    }

    /// How many events there are.
    var count: Int { rows.count }

    /// The statements that fold some of the rows.
    func statements(_ indices: [Int]) -> [any PostgresStatement] {
        var columns = BatchColumns(declared: projection.columns.map(\.type))
        let fields = Array(projection.columns.indices)
        for index in indices {
            let row = rows[index]
            columns.append(row.event, type: row.type, fields: fields, of: row.values)
        }
        return ApplyStatement.all(of: projection, columns)
    }
}
