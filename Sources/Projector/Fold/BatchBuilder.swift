internal import EventModel
internal import EventStore
internal import PayloadCodec
internal import Postgres

/// Makes the batches of several projections out of the same stored events: each frame is decoded once, each field found
/// once.
struct BatchBuilder {
    private let projections: [Projection]
    private let decoder: EventDecoder
    private let scan: FieldScan
    /// For each projection, where its declared columns stand among the scan's fields.
    private let fields: [[Int]]
    /// Which of the projections take an event type.
    private var takers: [EventType: [Int]] = [:]

    init(_ projections: [Projection], decoder: EventDecoder) {
        self.projections = projections
        self.decoder = decoder
        var wanted: [FieldScan.Field] = []
        var places: [FieldScan.Field: Int] = [:]
        fields = projections.map { projection in
            projection.columns.map { column in
                let field = FieldScan.Field(path: column.path, type: column.type)
                if let place = places[field] { return place }
                places[field] = wanted.count
                wanted.append(field)
                return wanted.count - 1
            }
        }
        scan = FieldScan(wanted)
    }

    /// What was made of some events.
    struct Result {
        /// One batch for each projection.
        var batches: [BatchColumns]
        /// The events that a projection cannot take; later events of their streams are not in its batch.
        var failures: [(projection: Int, failing: FailingEvent)] = []
    }

    /// Builds one batch for each projection.
    ///
    /// - Parameters:
    ///   - events: By position.
    ///   - accepts: Whether a projection, by its place in the list, is to get an event of a type that it handles.
    /// - Throws: `PostgresError`; `EventStoreError` if an event's type is unknown.
    mutating func build(
        _ events: [StoredEvent],
        on connection: PostgresConnection,
        accepts: (Int, StoredEvent) -> Bool
    ) async throws -> Result {
        var result = Result(batches: projections.map { BatchColumns(declared: $0.columns.map(\.type)) })
        var stopped = projections.map { _ in Set<StreamID>() }
        var values = FieldScan.Values(count: scan.fields.count)
        var json: [UInt8] = []
        for event in events {
            let type = try await decoder.type(event.type, on: connection)
            let takers = takers(of: type).filter { !stopped[$0].contains(event.stream) && accepts($0, event) }
            guard !takers.isEmpty else { continue }
            let fault = try await scan(event, into: &values, buffer: &json, on: connection)
            for taker in takers {
                let misfit = values.misfits.first(where: fields[taker].contains).map { misfit in
                    "\(scan.fields[misfit].path) is no \(scan.fields[misfit].type.rawValue), as the projection declares it"
                }
                if let reason = fault ?? misfit {
                    stopped[taker].insert(event.stream)
                    result.failures.append((taker, FailingEvent(event: event, type: type.name, reason: reason)))
                } else {
                    result.batches[taker].append(event, type: type, fields: fields[taker], of: values)
                }
            }
        }
        return result
    }

    /// Finds an event's fields.
    ///
    /// - Returns: Why it cannot be read at all, if it cannot.
    private func scan(
        _ event: StoredEvent,
        into values: inout FieldScan.Values,
        buffer json: inout [UInt8],
        on connection: PostgresConnection
    ) async throws -> String? {
        json.removeAll(keepingCapacity: true)
        do {
            let payload = try await decode(event, into: &json, on: connection)
            try scan.scan(json.span, data: payload.data, metadata: payload.metadata, into: &values)
            return nil
        } catch let error as JSONFault {
            return "its payload is not JSON: \(error.text)"
        } catch let error as PayloadCodecError {
            return "its payload cannot be decoded: \(error)"
        } catch let error as EventStoreError where error.code == .corruptEvent {
            return "its payload cannot be decoded: \(error)"
        }
    }

    private mutating func takers(of type: EventType) -> [Int] {
        if let known = takers[type] { return known }
        let found = projections.indices.filter { projections[$0].handles(type) }
        takers[type] = found
        return found
    }

    private func decode(
        _ event: StoredEvent,
        into json: inout [UInt8],
        on connection: PostgresConnection
    ) async throws -> PayloadRange {
        do {
            return try decoder.payloads.decode(event.payload, into: &json)
        } catch {
            guard error.code == .unknownDictionary, let id = error.dictionary else { throw error }
            try await decoder.loadDictionary(id, on: connection)
            return try decoder.payloads.decode(event.payload, into: &json)
        }
    }
}
