internal import EventModel
internal import EventStore
internal import FoundationEssentials
internal import Postgres
internal import Schema

/// Resumes a stopped stream: folds its events in order, from the failing one up to where its shard stands.
struct StreamRetry: Sendable {
    let owner: UUID
    let stopped: QuarantinedStream
    let projection: ProjectionFiles
    let decoder: EventDecoder

    /// How many events are folded at a time.
    private static let batchSize = 1_000

    /// Runs the retry.
    ///
    /// - Parameter connection: In a REPEATABLE READ transaction.
    /// - Returns: Whether the stream goes on; `false` if it failed again, which is recorded.
    /// - Throws: ``ProjectorError`` with `.leaseLost`, or `.projectionFailed` if the
    ///   stream is not at fault; `PostgresError`.
    func run(on connection: isolated PostgresConnection, owned: OwnedShard) async throws -> Bool {
        let advance = Checkpoint.Advance(
            owner: owner,
            checkpoints: [owned.checkpoint],
            cursor: owned.cursor,
            given: [owned.passed]
        )
        guard try await connection.execute(advance) == 1 else { throw ProjectorError.leaseLost }
        var version = stopped.eventVersion
        while true {
            let page = LogReader.SelectDelivered(
                of: stopped.stream,
                from: version,
                at: owned.cursor,
                limit: Self.batchSize
            )
            let events = try await connection.query(page).fitting
            guard let last = events.last else { break }
            var handled: [StoredEvent] = []
            for event in events {
                let type = try await decoder.type(event.type, on: connection)
                if type.map(projection.handles) ?? true { handled.append(event) }
            }
            var fold = CarefulFold(projection, decoder: decoder)
            try await fold.fold(handled, on: connection)
            if let failing = fold.failures.first {
                try await connection.execute(Quarantine.Stop(key: stopped.key, failing: failing))
                return false
            }
            version = last.version + 1
        }
        try await connection.execute(Quarantine.Lift(key: stopped.key, stream: stopped.stream))
        return true
    }
}
