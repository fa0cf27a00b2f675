internal import EventModel
internal import EventStore
internal import PayloadCodec
internal import Postgres
internal import Schema

/// Batches that grow event by event.
struct BatchBuilding {
    /// Why an event's payload was not scanned.
    enum Unreadable: Error {
        /// The frame needs a dictionary that is not loaded.
        case needs(dictionary: Int)
        /// The payload cannot be read; the text says why.
        case fault(String)
    }

    private let plan: BatchPlan
    private var columns: [BatchColumns]
    private var rows: BatchRows?
    private var counts: [Int]
    private var taken: [[Int]]
    private var stopped: [Set<StreamID>]
    private var failures: [(projection: Int, failing: FailingEvent)] = []
    private var json: [UInt8] = []
    /// The keys that the events need.
    var keys: [Int64: PayloadKeys.State] = [:]

    /// - Parameters:
    ///   - shards: For each projection, how many shards its streams are spread over.
    ///   - usesTable: Whether the rows go to the plan's table, if it has one.
    init(_ plan: BatchPlan, _ shards: [Int], usesTable: Bool) {
        self.plan = plan
        taken = shards.map { [Int](repeating: 0, count: $0) }
        rows = usesTable && plan.table != nil ? BatchRows(fields: plan.scan.fields.count) : nil
        columns = rows == nil ? plan.projections.map { BatchColumns(declared: $0.columns.map(\.type)) } : []
        counts = plan.projections.map { _ in 0 }
        stopped = plan.projections.map { _ in [] }
    }

    /// Whether the projection could not take an earlier event of the stream.
    func hasStopped(_ stream: StreamID, for projection: Int) -> Bool {
        !stopped[projection].isEmpty && stopped[projection].contains(stream)
    }

    /// Finds an event's fields; ``take(_:_:_:fault:_:passing:)`` then takes them.
    ///
    /// - Throws: ``Unreadable``; `values` is then not valid.
    mutating func scan(
        _ event: StoredEvent,
        for wanted: FieldScan.Wanted,
        _ decoder: EventDecoder,
        into values: inout FieldScan.Values
    ) throws(Unreadable) {
        json.removeAll(keepingCapacity: true)
        let payload: PayloadRange
        do {
            payload = try decoder.payloads.decode(event.payload, of: event.id.uuid, keys: event.keys(keys), into: &json)
        } catch {
            if error.code == .unknownDictionary, let id = error.dictionary { throw .needs(dictionary: id) }
            throw .fault("its payload cannot be decoded: \(error)")
        }
        do {
            try plan.scan.scan(
                json.span,
                data: payload.data,
                metadata: payload.metadata,
                for: wanted,
                into: &values
            )
        } catch {
            throw .fault("its payload is not JSON: \(error.text)")
        }
    }

    /// Adds the event that was scanned to the batches of its takers, or stops its stream for those that cannot take it.
    ///
    /// - Parameter foreign: Fields that are NULL where their value does not fit.
    mutating func take(
        _ event: StoredEvent,
        _ type: EventType,
        _ takers: [Int],
        fault: String?,
        _ values: borrowing FieldScan.Values,
        passing foreign: Set<Int>
    ) {
        var bits: Int64 = 0
        for taker in takers {
            let fields = plan.fields[taker]
            taken[taker][ShardSet.shard(of: event.stream, count: taken[taker].count)] += 1
            let misfit =
                values.misfits.isEmpty
                ? nil
                : values.misfits.first {
                    fields.contains($0) && !foreign.contains($0)
                }
            if let reason = fault ?? misfit.map(description(ofMisfit:)) {
                stopped[taker].insert(event.stream)
                failures.append((taker, FailingEvent(event: event, type: type.name, reason: reason)))
                continue
            }
            counts[taker] += 1
            if rows == nil {
                columns[taker].append(event, type: type, fields: fields, of: values)
            } else {
                bits |= 1 << Int64(taker)
            }
        }
        if bits != 0 { rows?.append(event, type: type, takers: bits, values: values) }
    }

    private func description(ofMisfit field: Int) -> String {
        let field = plan.scan.fields[field]
        let digits = PostgresDecimal.mostSummableDigits
        let limit = field.type == .numeric ? " of at most \(digits) digits before and behind its point" : ""
        return "\(field.path) is no \(field.type.rawValue)\(limit), as the projection declares it"
    }

    /// The finished batches, with the statements that fold them.
    func finished() -> BuiltBatches {
        let statements = plan.projections.indices.map { index -> [ApplyStatement] in
            guard counts[index] > 0 else { return [] }
            return rows == nil
                ? ApplyStatement.all(of: plan.projections[index], columns[index])
                : plan.statementsOverTable(of: index)
        }
        return BuiltBatches(statements: statements, failures: failures, taken: taken, rows: rows, table: plan.table)
    }
}
