internal import EventStore
internal import Postgres

/// One round of a projector: reads what is new for each of its projections, folds it, and moves the checkpoints, all in
/// one REPEATABLE READ transaction.
///
/// Projections that stand at the same cursor share what is read and decoded. One that was added later catches up in
/// batches of its own, until a round brings it to the same snapshot as the others.
struct ProjectionRound {
    /// Projections that stand at one cursor.
    private struct Group {
        let cursor: LogCursor
        var projections: [Projection]
        var checkpoints: [Checkpoint]
    }

    /// What a round did.
    struct Outcome: Sendable {
        /// Events read, counted once for each group of projections.
        var events = 0
        /// Whether there may be more to read at once.
        var hasMore = false
        /// The cursor that is furthest behind.
        var cursor: LogCursor?
    }

    let projections: [Projection]
    let decoder: EventDecoder
    let batchSize: Int

    /// Runs a round.
    ///
    /// - Parameter connection: In a REPEATABLE READ transaction that has read nothing yet.
    /// - Throws: ``ProjectorError`` with `.failingEvent` or `.checkpointMoved`; `PostgresError`.
    func run(on connection: isolated PostgresConnection) async throws -> Outcome {
        let checkpoints = try await connection.query(Checkpoint.Load(projections: projections))
        var outcome = Outcome()
        for group in try groups(checkpoints) {
            let batch = try await LogReader.read(on: connection, after: group.cursor, limit: batchSize)
            outcome.events += batch.events.count
            outcome.hasMore = outcome.hasMore || batch.cursor.window != nil
            outcome.cursor = batch.cursor
            // An idle round leaves no trace, unless the window it closes was open.
            guard !batch.events.isEmpty || group.cursor.window != nil else { continue }
            try await apply(batch, to: group, on: connection)
        }
        return outcome
    }

    private func groups(_ checkpoints: [Checkpoint]) throws -> [Group] {
        var groups: [Group] = []
        for projection in projections {
            guard
                let checkpoint = checkpoints.first(where: {
                    $0.projection == projection.name && $0.version == projection.version
                })
            else {
                throw ProjectorError(
                    .checkpointMoved,
                    "\(projection.name) v\(projection.version) has no checkpoint: install it again"
                )
            }
            if let index = groups.firstIndex(where: { $0.cursor == checkpoint.cursor }) {
                groups[index].projections.append(projection)
                groups[index].checkpoints.append(checkpoint)
            } else {
                groups.append(Group(cursor: checkpoint.cursor, projections: [projection], checkpoints: [checkpoint]))
            }
        }
        return groups
    }

    private func apply(_ batch: LogReader.Batch, to group: Group, on connection: isolated PostgresConnection)
        async throws
    {
        var builder = BatchBuilder(group.projections, decoder: decoder)
        let columns = try await builder.build(batch.events, on: connection)
        // The checkpoint moves first: its row lock makes a second projector wait here, and fail, before it folds anything.
        var statements: [any PostgresStatement] = [
            Checkpoint.Advance(checkpoints: group.checkpoints, cursor: batch.cursor, events: columns.map(\.count))
        ]
        for (projection, columns) in zip(group.projections, columns) where columns.count > 0 {
            let arrays = columns.arrays()
            statements += projection.statements.map { ApplyStatement(sql: $0, arrays: arrays) }
        }
        let touched = try await connection.pipeline(statements)
        guard touched.first == group.checkpoints.count else {
            throw ProjectorError(
                .checkpointMoved,
                "another projector works on the same projections: this one's batch was rolled back"
            )
        }
    }
}
