internal import EventModel
internal import EventStore
internal import PayloadCodec
internal import Postgres

/// Makes the batches of several projections out of the same stored events: each frame is decoded once, each field found
/// once.
struct BatchBuilder {
    private let plan: BatchPlan
    private let decoder: EventDecoder

    /// An event's type, as the projections see it.
    private struct KnownType {
        let type: EventType
        /// The projections that handle it and read what they declare.
        let readers: [Int]
        /// The projections that handle it and read nothing of it.
        let others: [Int]
        /// The fields that the readers declare.
        let wanted: FieldScan.Wanted
        /// The fields that only other types have: what does not fit there is no more than something unknown.
        let foreign: Set<Int>
    }

    init(_ plan: BatchPlan, decoder: EventDecoder) {
        self.plan = plan
        self.decoder = decoder
    }

    /// Builds one batch for each projection.
    ///
    /// - Parameters:
    ///   - events: By position.
    ///   - generation: The generation of keys that the transaction sees, if it was read.
    ///   - shards: For each projection, how many shards its streams are spread over.
    ///   - mayUseTable: Whether a large batch may go to the plan's table, which holds one batch a transaction.
    ///   - accepts: Whether a projection, by its place in the plan, is to get an event of a type that it handles.
    /// - Throws: `PostgresError`; `EventStoreError` if an event's type is unknown, or with `.keyUnavailable` if a
    ///   key-encryption key is not here: nothing is folded without what the events held.
    func build(
        _ events: [StoredEvent],
        generation: Int64?,
        on connection: PostgresConnection,
        shards: [Int],
        mayUseTable: Bool,
        accepts: (Int, StoredEvent) -> Bool
    ) async throws -> BuiltBatches {
        var building = Building(plan, shards, usesTable: mayUseTable && events.count >= BatchTable.threshold)
        var values = FieldScan.Values(count: plan.scan.fields.count)
        let none = FieldScan.Values(count: plan.scan.fields.count)
        var types: [Int16: KnownType] = [:]
        for event in events where types[event.type] == nil {
            let type = try await decoder.type(event.type, on: connection)
            let takers = plan.takers(of: type)
            let readers = takers.filter { plan.projections[$0].reads(type) }
            let others = takers.filter { !readers.contains($0) }
            let wanted = plan.scan.wanted(readers.flatMap { plan.fields[$0] })
            let foreign = plan.scan.fields.indices.filter { plan.scan.fields[$0].path.isForeign(to: type) }
            types[event.type] = KnownType(
                type: type,
                readers: readers,
                others: others,
                wanted: wanted,
                foreign: Set(foreign)
            )
        }
        building.keys = try await decoder.keys.states(for: events, inSnapshotOf: generation, on: connection)
        for event in events {
            guard let known = types[event.type] else { continue }
            let isTaker = { !building.hasStopped(event.stream, for: $0) && accepts($0, event) }
            let readers = known.readers.filter(isTaker)
            let others = known.others.filter(isTaker)
            guard !readers.isEmpty || !others.isEmpty else { continue }
            var fault: String?
            do throws(Unreadable) {
                if !readers.isEmpty { try building.scan(event, for: known.wanted, decoder, into: &values) }
            } catch .needs(let dictionary) {
                fault = try await load(
                    dictionary,
                    for: event,
                    known.wanted,
                    by: &building,
                    into: &values,
                    on: connection
                )
            } catch .fault(let text) {
                fault = text
            }
            building.take(event, known.type, readers, fault: fault, values, passing: known.foreign)
            building.take(event, known.type, others, fault: nil, none, passing: [])
        }
        return building.finished()
    }

    /// Loads a dictionary and scans the event that needs it.
    ///
    /// - Returns: Why the event cannot be read, if it cannot.
    private func load(
        _ dictionary: Int,
        for event: StoredEvent,
        _ wanted: FieldScan.Wanted,
        by building: inout Building,
        into values: inout FieldScan.Values,
        on connection: PostgresConnection
    ) async throws -> String? {
        do {
            try await decoder.loadDictionary(dictionary, on: connection)
            try building.scan(event, for: wanted, decoder, into: &values)
            return nil
        } catch let error as EventStoreError where error.code == .corruptEvent {
            return "its payload cannot be decoded: \(error)"
        } catch Unreadable.fault(let text) {
            return text
        }
    }
}

/// The batches of a plan's projections, ready to be folded.
struct BuiltBatches: Sendable {
    /// For each projection, the statements that fold its batch; none for one that gets nothing.
    let statements: [[ApplyStatement]]
    /// The events that a projection cannot take; later events of their streams are not in its batch.
    let failures: [(projection: Int, failing: FailingEvent)]
    /// For each projection and each of its shards, how many events it handles, those among them that it cannot take.
    let taken: [[Int]]
    /// What the statements find in the plan's table, if they read it.
    private let rows: BatchRows?
    private let table: BatchTable?

    fileprivate init(
        statements: [[ApplyStatement]],
        failures: [(projection: Int, failing: FailingEvent)],
        taken: [[Int]],
        rows: BatchRows?,
        table: BatchTable?
    ) {
        self.statements = statements
        self.failures = failures
        self.taken = taken
        self.rows = rows
        self.table = table
    }

    /// Brings to the server what the statements read beside their parameters; call it before they run, in their transaction.
    func load(on connection: isolated PostgresConnection) async throws {
        guard let rows, let table else { return }
        try await connection.run(unsafeSQL: table.creation)
        try await connection.copyIn(unsafeSQL: "pg_temp.\(table.name)") { writer in
            try writer.rows(encoded: rows.buffer)
        }
    }
}

/// Why an event's payload was not scanned.
private enum Unreadable: Error {
    /// The frame needs a dictionary that is not loaded.
    case needs(dictionary: Int)
    /// Nobody can read it.
    case fault(String)
}

/// Batches that grow event by event.
private struct Building {
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

    init(_ plan: BatchPlan, _ shards: [Int], usesTable: Bool) {
        self.plan = plan
        taken = shards.map { [Int](repeating: 0, count: $0) }
        rows = usesTable && plan.table != nil ? BatchRows(fields: plan.scan.fields.count) : nil
        columns = rows == nil ? plan.projections.map { BatchColumns(declared: $0.columns.map(\.type)) } : []
        counts = plan.projections.map { _ in 0 }
        stopped = plan.projections.map { _ in [] }
    }

    func hasStopped(_ stream: StreamID, for projection: Int) -> Bool {
        !stopped[projection].isEmpty && stopped[projection].contains(stream)
    }

    /// Finds an event's fields; ``take(_:_:_:fault:_:passing:)`` then takes them.
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
        return "\(field.path) is no \(field.type.rawValue), as the projection declares it"
    }

    func finished() -> BuiltBatches {
        let statements = plan.projections.indices.map { place -> [ApplyStatement] in
            guard counts[place] > 0 else { return [] }
            return rows == nil
                ? ApplyStatement.all(of: plan.projections[place], columns[place])
                : plan.statementsOverTable(of: place)
        }
        return BuiltBatches(statements: statements, failures: failures, taken: taken, rows: rows, table: plan.table)
    }
}
