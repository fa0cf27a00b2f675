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

    /// Builds one batch for each projection.
    ///
    /// - Throws: ``ProjectorError`` with `.failingEvent` that names the event; `PostgresError`.
    mutating func build(_ events: [StoredEvent], on connection: PostgresConnection) async throws -> [BatchColumns] {
        var batches = projections.map { BatchColumns(declared: $0.columns.map(\.type)) }
        var values = FieldScan.Values(count: scan.fields.count)
        var json: [UInt8] = []
        for event in events {
            let type = try await decoder.type(event.type, on: connection)
            let takers = takers(of: type)
            guard !takers.isEmpty else { continue }
            json.removeAll(keepingCapacity: true)
            let payload = try await decode(event, into: &json, on: connection)
            do {
                try scan.scan(json.span, data: payload.data, metadata: payload.metadata, into: &values)
            } catch {
                throw failure(of: event, type, reason: "its payload is not JSON: \(error.text)")
            }
            for taker in takers {
                if let misfit = values.misfits.first(where: fields[taker].contains) {
                    throw misfitFailure(of: event, type, scan.fields[misfit], projections[taker])
                }
                batches[taker].append(event, type: type, fields: fields[taker], of: values)
            }
        }
        return batches
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
            guard error.code == .unknownDictionary, let id = error.dictionary else {
                throw ProjectorError(.failingEvent, Self.name(of: event) + " cannot be decoded", cause: error)
            }
            try await decoder.loadDictionary(id, on: connection)
            return try decoder.payloads.decode(event.payload, into: &json)
        }
    }

    private func misfitFailure(
        of event: StoredEvent,
        _ type: EventType,
        _ field: FieldScan.Field,
        _ projection: Projection
    ) -> ProjectorError {
        failure(
            of: event,
            type,
            reason: "\(field.path) is no \(field.type.rawValue), as \(projection.name) declares it"
        )
    }

    private func failure(of event: StoredEvent, _ type: EventType, reason: String) -> ProjectorError {
        ProjectorError(.failingEvent, "\(Self.name(of: event)) (\(type)): \(reason)")
    }

    private static func name(of event: StoredEvent) -> String {
        "event \(event.id), version \(event.version) of stream \(event.stream)"
    }
}
