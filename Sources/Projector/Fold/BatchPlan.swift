internal import EventModel
internal import EventStore
internal import Postgres
internal import Schema

/// Everything needed to build and fold batches for some projections, worked out once: the fields to search for in an
/// event, and the statements for every form that a batch can have.
struct BatchPlan: Sendable {
    let projections: [ProjectionFiles]
    let scan: FieldScan
    /// For each projection, the indices of its declared columns among the scan's fields.
    let fields: [[Int]]
    /// The table for large batches; `nil` if there are more projections than it can tell apart.
    let table: BatchTable?
    /// For each projection, its statements over the table.
    private let overTable: [[String]]

    init(_ projections: [ProjectionFiles]) {
        self.projections = projections
        var wanted: [FieldScan.Field] = []
        var indices: [FieldScan.Field: Int] = [:]
        let fields = projections.map { projection in
            projection.columns.map { column in
                let field = FieldScan.Field(path: column.path, type: column.type)
                if let index = indices[field] { return index }
                indices[field] = wanted.count
                wanted.append(field)
                return wanted.count - 1
            }
        }
        self.fields = fields
        scan = FieldScan(wanted)
        let table = BatchTable(fields: wanted, projections: projections.count)
        self.table = table
        overTable = projections.enumerated().map { index, projection in
            guard let table else { return [] }
            return projection.statements(over: table.batch(of: projection, at: index, fields: fields[index]))
        }
    }

    /// Which projections take events of a type, by their indices.
    func takers(of type: EventType) -> [Int] { projections.indices.filter { projections[$0].handles(type) } }

    /// The projections that handle an event's type; all of them if the type is not known any more: whoever might handle
    /// it cannot go on with the event's stream.
    func takers(of event: StoredEvent, _ decoder: EventDecoder, on connection: PostgresConnection) async throws -> [Int]
    {
        let type = try await decoder.type(event.type, on: connection)
        return type.map { takers(of: $0) } ?? Array(projections.indices)
    }

    /// The statements that fold the table's rows into one of the projections.
    func statementsOverTable(of index: Int) -> [ApplyStatement] {
        overTable[index].map { ApplyStatement(sql: $0, parameters: []) }
    }
}
