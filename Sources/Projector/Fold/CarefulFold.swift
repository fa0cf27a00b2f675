internal import EventModel
internal import EventStore
internal import Postgres
internal import Schema

/// Folds events into one projection when folding them all at once has failed: halves them until the event that fails is
/// alone, leaves it and the later events of its stream out, and folds the others.
struct CarefulFold {
    private let projection: ProjectionFiles
    private let plan: BatchPlan
    private let decoder: EventDecoder
    /// The events that could not be applied, at most one per stream.
    private(set) var failures: [FailingEvent] = []
    private var stopped: Set<StreamID> = []

    init(_ projection: ProjectionFiles, decoder: EventDecoder) {
        self.projection = projection
        plan = BatchPlan([projection])
        self.decoder = decoder
    }

    /// Folds what can be folded.
    ///
    /// - Parameters:
    ///   - events: In order of position, and so each stream's in order of version.
    ///   - connection: In a transaction.
    /// - Throws: ``ProjectorError`` with `.projectionFailed` if the projection's SQL fails whatever the events are;
    ///   `PostgresError` if the fault is neither the events' nor the projection's.
    mutating func fold(_ events: [StoredEvent], on connection: isolated PostgresConnection) async throws {
        do {
            try await halve(events, on: connection)
        } catch let error as PostgresError where error.isProjectionsFault {
            throw ProjectorError.applyFails(projection, cause: error)
        }
    }

    /// Folds events at once; if one of them fails, each half by itself.
    private mutating func halve(_ events: [StoredEvent], on connection: isolated PostgresConnection) async throws {
        let events = events.filter { !stopped.contains($0.stream) }
        guard !events.isEmpty else { return }
        let builder = BatchBuilder(plan, decoder: decoder)
        // Not through the table: it still holds what an earlier part of the transaction folded.
        let built = try await builder.build(
            events,
            generation: nil,
            on: connection,
            shards: [1],
            mayUseTable: false
        ) { _, _ in true }
        // Unreadable events need no halving: the batch still holds the events before them in their streams.
        let unreadable = built.failures.map(\.failing)
        guard let statements = built.statements.first, !statements.isEmpty else {
            for failing in unreadable { stop(failing) }
            return
        }
        do {
            try await connection.savepoint { connection in _ = try await connection.pipeline(statements) }
            for failing in unreadable { stop(failing) }
        } catch let error as PostgresError where error.isEventsFault {
            guard events.count > 1 else {
                let type = try await decoder.type(events[0].type, on: connection)
                return stop(FailingEvent(event: events[0], type: type?.name ?? "unknown", reason: "\(error)"))
            }
            let middle = events.count / 2
            try await halve(Array(events[..<middle]), on: connection)
            try await halve(Array(events[middle...]), on: connection)
        }
    }

    private mutating func stop(_ failing: FailingEvent) {
        failures.append(failing)
        stopped.insert(failing.event.stream)
    }
}
