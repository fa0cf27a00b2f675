internal import EventModel
internal import EventStore
internal import FoundationEssentials
internal import Postgres

/// One round of a worker: reads what is new for its shards, moves their checkpoints and folds, all in one REPEATABLE READ
/// transaction.
///
/// Shards that stand at the same cursor share what is read and decoded. One that was taken over, or a projection that was
/// added, catches up in batches of its own, until a round brings it to the same snapshot as the others.
struct WorkerRound: Sendable {
    /// Shards that stand at one cursor.
    private struct Group {
        let cursor: LogCursor
        let shardCount: Int
        /// The shards of each projection, by the projection's place in the list.
        var shards: [Int: Set<Int>] = [:]

        var reads: ShardSet {
            ShardSet(count: shardCount, members: shards.values.reduce(into: Set<Int>()) { $0.formUnion($1) })
        }
    }

    /// What a round did; to be taken over after its commit.
    struct Outcome: Sendable {
        var owned: [ProjectionShard: OwnedShard]
        /// Events read, counted once for each group of shards.
        var events = 0
        /// At how many cursors the shards stood: the log is read once for each.
        var cursors = 0
        /// Whether there may be more to read at once.
        var hasMore = false
    }

    let owner: UUID
    let projections: [Projection]
    let decoder: EventDecoder
    let batchSize: Int
    /// Whether a failing event ends the worker instead of stopping its stream.
    let haltsOnFailure: Bool
    /// Whether to look for failing events, after a round without care has failed.
    let isCareful: Bool

    /// Runs a round.
    ///
    /// - Parameters:
    ///   - connection: In a REPEATABLE READ transaction that has read nothing yet.
    ///   - owned: The worker's shards.
    /// - Throws: ``ProjectorError`` with `.failingEvent`, `.leaseLost` or `.projectionFailed`; `PostgresError`.
    func run(
        on connection: isolated PostgresConnection,
        owned: [ProjectionShard: OwnedShard]
    ) async throws -> Outcome {
        var outcome = Outcome(owned: owned)
        let groups = groups(owned)
        outcome.cursors = groups.count
        for group in groups {
            let batch = try await LogReader.read(
                on: connection,
                after: group.cursor,
                limit: batchSize,
                shards: group.reads
            )
            outcome.events += batch.events.count
            outcome.hasMore = outcome.hasMore || batch.cursor.window != nil
            if !batch.events.isEmpty { try await fold(batch, group, &outcome, on: connection) }
            for (place, shards) in group.shards {
                for shard in shards { outcome.owned[key(place, shard)]?.cursor = batch.cursor }
            }
        }
        return outcome
    }

    private func key(_ place: Int, _ shard: Int) -> ProjectionShard {
        ProjectionShard(projection: projections[place].name, version: projections[place].version, shard: shard)
    }

    private func groups(_ owned: [ProjectionShard: OwnedShard]) -> [Group] {
        var groups: [Group] = []
        for (place, projection) in projections.enumerated() {
            for (key, shard) in owned where key.projection == projection.name && key.version == projection.version {
                let index =
                    groups.firstIndex { $0.cursor == shard.cursor && $0.shardCount == shard.checkpoint.shards }
                    ?? {
                        groups.append(Group(cursor: shard.cursor, shardCount: shard.checkpoint.shards))
                        return groups.count - 1
                    }()
                groups[index].shards[place, default: []].insert(key.shard)
            }
        }
        return groups
    }

    // MARK: Folding

    private func fold(
        _ batch: LogReader.Batch,
        _ group: Group,
        _ outcome: inout Outcome,
        on connection: isolated PostgresConnection
    ) async throws {
        var counts: [Int: Int] = [:]
        for event in batch.events { counts[ShardSet.shard(of: event.stream, count: group.shardCount), default: 0] += 1 }
        let advance = advance(group, to: batch.cursor, counts: counts, owned: outcome.owned)
        for (checkpoint, given) in zip(advance.checkpoints, advance.given) {
            outcome.owned[checkpoint.key]?.advanced(to: batch.cursor, given: given)
        }
        let accepts = { [owned = outcome.owned] (place: Int, event: StoredEvent) in
            let shard = ShardSet.shard(of: event.stream, count: group.shardCount)
            return group.shards[place]?.contains(shard) == true
                && owned[self.key(place, shard)]?.stopped.contains(event.stream) != true
        }
        let failures =
            isCareful
            ? try await foldCarefully(batch.events, advance, accepts, on: connection)
            : try await foldAtOnce(batch.events, advance, accepts, on: connection)
        for (place, failing) in failures {
            let shard = ShardSet.shard(of: failing.event.stream, count: group.shardCount)
            try await stop(failing, key: key(place, shard), &outcome, on: connection)
        }
    }

    /// The checkpoints of the shards that got events. Their rows are locked before anything is folded: a second worker
    /// waits there, and fails.
    private func advance(
        _ group: Group,
        to cursor: LogCursor,
        counts: [Int: Int],
        owned: [ProjectionShard: OwnedShard]
    ) -> Checkpoint.Advance {
        var checkpoints: [Checkpoint] = []
        var given: [Int] = []
        for (place, shards) in group.shards.sorted(by: { $0.key < $1.key }) {
            for shard in shards.sorted() {
                guard let count = counts[shard], let own = owned[key(place, shard)] else { continue }
                checkpoints.append(own.checkpoint)
                given.append(count)
            }
        }
        return Checkpoint.Advance(owner: owner, checkpoints: checkpoints, cursor: cursor, given: given)
    }

    private func foldAtOnce(
        _ events: [StoredEvent],
        _ advance: Checkpoint.Advance,
        _ accepts: (Int, StoredEvent) -> Bool,
        on connection: isolated PostgresConnection
    ) async throws -> [(Int, FailingEvent)] {
        var builder = BatchBuilder(projections, decoder: decoder)
        let built = try await builder.build(events, on: connection, accepts: accepts)
        var statements: [any PostgresStatement] = [advance]
        for (projection, batch) in zip(projections, built.batches) {
            statements += ApplyStatement.all(of: projection, batch) as [any PostgresStatement]
        }
        let touched = try await connection.pipeline(statements)
        try check(touched.first, advance)
        return built.failures.map { ($0.projection, $0.failing) }
    }

    private func foldCarefully(
        _ events: [StoredEvent],
        _ advance: Checkpoint.Advance,
        _ accepts: (Int, StoredEvent) -> Bool,
        on connection: isolated PostgresConnection
    ) async throws -> [(Int, FailingEvent)] {
        try check(try await connection.execute(advance), advance)
        var failures: [(Int, FailingEvent)] = []
        for (place, projection) in projections.enumerated() {
            var fold = CarefulFold(projection, decoder: decoder)
            do {
                try await fold.fold(events.filter { accepts(place, $0) }, on: connection)
            } catch let error as PostgresError where error.isProjectionsFault {
                throw ProjectorError(
                    .projectionFailed,
                    "apply.sql of \(projection.name) v\(projection.version) fails",
                    cause: error,
                    projection: projection.name
                )
            }
            failures += fold.failures.map { (place, $0) }
        }
        return failures
    }

    private func check(_ touched: Int?, _ advance: Checkpoint.Advance) throws {
        guard touched == advance.checkpoints.count else {
            throw ProjectorError(
                .leaseLost,
                "another worker has taken a shard over: this worker's batch was rolled back"
            )
        }
    }

    private func stop(
        _ failing: FailingEvent,
        key: ProjectionShard,
        _ outcome: inout Outcome,
        on connection: isolated PostgresConnection
    ) async throws {
        guard !haltsOnFailure else {
            throw ProjectorError(
                .failingEvent,
                "\(key.projection) cannot apply event \(failing.event.id) (\(failing.type)), version "
                    + "\(failing.event.version) of stream \(failing.event.stream): \(failing.reason)"
            )
        }
        try await connection.execute(Quarantine.Stop(key: key, failing: failing))
        outcome.owned[key]?.stopped.insert(failing.event.stream)
    }
}

extension PostgresError {
    /// Whether a projection's own SQL is at fault, whatever the events: a missing table, a wrong type, no privilege.
    var isProjectionsFault: Bool { code == .server && !isRetryable && !isEventsFault && sqlState != "57014" }
}
