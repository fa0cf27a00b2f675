internal import EventModel
internal import EventStore
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
        /// The fields that only other types have: a value there that does not fit is NULL, not a fault.
        let foreign: Set<Int>
        /// Why nothing of this type can be taken, if so.
        var fault: String?
    }

    init(_ plan: BatchPlan, decoder: EventDecoder) {
        self.plan = plan
        self.decoder = decoder
    }

    /// Builds one batch for each projection.
    ///
    /// - Parameters:
    ///   - events: In order of position.
    ///   - generation: The generation of keys that the transaction sees, if it was read.
    ///   - shards: For each projection, how many shards its streams are spread over.
    ///   - mayUseTable: Whether a large batch may go to the plan's table, which holds one batch per transaction.
    ///   - accepts: Whether a projection, by its index in the plan, is to get an event of a type that it handles.
    /// - Throws: `PostgresError`; `EventStoreError` with `.keyUnavailable` if a key-encryption key is missing here: no
    ///   event is folded without its contents.
    func build(
        _ events: [StoredEvent],
        generation: Int64?,
        on connection: PostgresConnection,
        shards: [Int],
        mayUseTable: Bool,
        accepts: (Int, StoredEvent) -> Bool
    ) async throws -> BuiltBatches {
        var building = BatchBuilding(plan, shards, usesTable: mayUseTable && events.count >= BatchTable.threshold)
        var values = FieldScan.Values(count: plan.scan.fields.count)
        let none = FieldScan.Values(count: plan.scan.fields.count)
        let types = try await knownTypes(of: events, on: connection)
        building.keys = try await decoder.keys.states(for: events, inSnapshotOf: generation, on: connection)
        for event in events {
            guard let known = types[event.type] else { continue }
            let isTaker = { !building.hasStopped(event.stream, for: $0) && accepts($0, event) }
            let readers = known.readers.filter(isTaker)
            let others = known.others.filter(isTaker)
            guard !readers.isEmpty || !others.isEmpty else { continue }
            var fault = known.fault
            do throws(BatchBuilding.Unreadable) {
                if fault == nil, !readers.isEmpty {
                    try building.scan(event, for: known.wanted, decoder, into: &values)
                }
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

    /// The types of some events, with the projections that handle them.
    private func knownTypes(
        of events: [StoredEvent],
        on connection: PostgresConnection
    ) async throws -> [Int16: KnownType] {
        var types: [Int16: KnownType] = [:]
        for event in events where types[event.type] == nil {
            let takers = try await plan.takers(of: event, decoder, on: connection)
            guard let type = try await decoder.type(event.type, on: connection) else {
                types[event.type] = KnownType(
                    type: try EventType("unknown"),
                    readers: takers,
                    others: [],
                    wanted: plan.scan.wanted([]),
                    foreign: [],
                    fault: "\(EventDecoder.unknownType(event.type))"
                )
                continue
            }
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
        return types
    }

    /// Loads a dictionary and scans the event that needs it.
    ///
    /// - Returns: Why the event cannot be read, if it cannot.
    private func load(
        _ dictionary: Int,
        for event: StoredEvent,
        _ wanted: FieldScan.Wanted,
        by building: inout BatchBuilding,
        into values: inout FieldScan.Values,
        on connection: PostgresConnection
    ) async throws -> String? {
        do {
            try await decoder.loadDictionary(dictionary, on: connection)
            try building.scan(event, for: wanted, decoder, into: &values)
            return nil
        } catch let error as EventStoreError where error.code == .corruptEvent {
            return "its payload cannot be decoded: \(error)"
        } catch BatchBuilding.Unreadable.fault(let text) {
            return text
        }
    }
}
