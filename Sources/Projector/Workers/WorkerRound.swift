internal import EventModel
internal import EventStore
internal import FoundationEssentials
internal import Postgres
internal import Schema

/// One round of a worker: reads what is new for its shards, moves their checkpoints and folds, all in one REPEATABLE
/// READ transaction; a few events in two (decision 0008).
///
/// Shards that stand at the same cursor share what is read and decoded. A shard that was taken over and a projection
/// that was added catch up in batches of their own, until a round brings them to the others' snapshot.
struct WorkerRound: Sendable {
    /// What a round did; the worker adopts it after the commit.
    struct Outcome: Sendable {
        var owned: [ProjectionShard: OwnedShard]
        /// Events read, counted once for each cursor, and the size of their payloads, in bytes as they are decoded.
        var events = 0
        var weight = 0
        /// Events that each version of a projection was given; none if nothing was folded.
        var given: [ProjectionVersion: Int] = [:]
        /// The events that stopped their streams, each for a projection.
        var stops: [(key: ProjectionShard, failing: FailingEvent)] = []
        /// At how many cursors the shards stood: the log is read once for each.
        var cursors = 0
        /// Whether there may be more to read at once.
        var hasMore = false
    }

    let owner: UUID
    let plan: BatchPlan
    let decoder: EventDecoder
    let batchSize: Int
    /// Whether a failing event ends the worker instead of stopping its stream.
    let haltsOnFailure: Bool
    /// Whether to look for failing events and for the projection that fails or waits, after an ordinary round has
    /// failed.
    let isCareful: Bool

    var projections: [ProjectionFiles] { plan.projections }

    /// Runs a round.
    ///
    /// - Parameters:
    ///   - connection: In a REPEATABLE READ transaction that has read nothing yet.
    ///   - owned: The worker's shards.
    /// - Throws: ``ProjectorError`` with `.failingEvent` or `.leaseLost`, and where it is careful `.projectionFailed`
    ///   or `.projectionWaits`; `PostgresError`.
    func run(
        on connection: isolated PostgresConnection,
        owned: [ProjectionShard: OwnedShard]
    ) async throws -> Outcome {
        var outcome = Outcome(owned: owned)
        let groups = groups(owned)
        outcome.cursors = groups.count
        var mayUseTable = true
        for group in groups {
            let batch = try await LogReader.read(
                on: connection,
                after: group.cursor,
                limit: batchSize,
                shards: group.reads,
                types: EventTypeFilter(group.shards.keys.flatMap { projections[$0].handles })
            )
            outcome.events += batch.events.count
            outcome.weight += batch.weight
            outcome.hasMore = outcome.hasMore || batch.cursor.window != nil
            var left: Set<Int> = []
            if !batch.events.isEmpty {
                let isLast = groups.count == 1
                left = try await fold(batch, group, mayUseTable: mayUseTable, isLast: isLast, &outcome, on: connection)
                mayUseTable = false
            }
            outcome.hasMore = outcome.hasMore || !left.isEmpty
            for (index, shards) in group.shards where !left.contains(index) {
                for shard in shards.members { outcome.owned[key(index, shard)]?.cursor = batch.cursor }
            }
        }
        return outcome
    }

    func key(_ index: Int, _ shard: Int) -> ProjectionShard {
        ProjectionShard(projection: projections[index].id, shard: shard)
    }

    private func groups(_ owned: [ProjectionShard: OwnedShard]) -> [ShardGroup] {
        var groups: [ShardGroup] = []
        for (index, projection) in projections.enumerated() {
            let own = owned.filter { $0.key.projection == projection.id }
            for (cursor, shards) in Dictionary(grouping: own, by: \.value.cursor) {
                let count = shards.first?.value.checkpoint.shards ?? 1
                let set = ShardSet(count: count, members: shards.map(\.key.shard))
                if groups.indices.contains(where: { groups[$0].admits(set, at: index, cursor: cursor) }) { continue }
                groups.append(ShardGroup(set, at: index, cursor: cursor))
            }
        }
        return groups
    }

    // MARK: Folding

    /// - Returns: The indices of the projections that did not move: the next round folds them.
    private func fold(
        _ batch: LogReader.Batch,
        _ group: ShardGroup,
        mayUseTable: Bool,
        isLast: Bool,
        _ outcome: inout Outcome,
        on connection: isolated PostgresConnection
    ) async throws -> Set<Int> {
        let stopped = projections.indices.map { index in
            (group.shards[index]?.members ?? []).reduce(into: Set<StreamID>()) { streams, shard in
                streams.formUnion(outcome.owned[key(index, shard)]?.stopped ?? [])
            }
        }
        let filter = ShardFilter(group.shards, stopped: stopped)
        if isCareful {
            let failures = try await foldCarefully(batch, group, filter, &outcome, on: connection)
            try await stop(failures, filter, &outcome, on: connection)
            return []
        }
        let builder = BatchBuilder(plan, decoder: decoder)
        let built = try await builder.build(
            batch.events,
            generation: batch.generation,
            on: connection,
            shards: filter.counts,
            mayUseTable: mayUseTable
        ) { filter.accepts($1, at: $0) }
        let moves = moves(group, behind: batch, taken: built.taken, outcome)
        var left: Set<Int> = []
        if moves.contains(where: \.isTaken) {
            try await built.load(on: connection)
            do {
                if isLast, built.failures.isEmpty {
                    left = try await commit(batch, moves, built, on: connection)
                } else {
                    try await connection.pipeline(statements(moves, built, behind: batch))
                }
            } catch let error as PostgresError where error.sqlState == Checkpoint.GuardedAdvance.refusal {
                throw ProjectorError.leaseLost
            }
        }
        outcome.take(moves.filter { !left.contains($0.index) }, behind: batch)
        try await stop(built.failures.map { ($0.projection, $0.failing) }, filter, &outcome, on: connection)
        return left
    }

    private func foldCarefully(
        _ batch: LogReader.Batch,
        _ group: ShardGroup,
        _ filter: ShardFilter,
        _ outcome: inout Outcome,
        on connection: isolated PostgresConnection
    ) async throws -> [(Int, FailingEvent)] {
        var counts = filter.counts.map { [Int](repeating: 0, count: $0) }
        var taken = projections.map { _ in [StoredEvent]() }
        for event in batch.events {
            for index in try await plan.takers(of: event, decoder, on: connection)
            where filter.accepts(event, at: index) {
                counts[index][ShardSet.shard(of: event.stream, count: counts[index].count)] += 1
                taken[index].append(event)
            }
        }
        let moves = moves(group, behind: batch, taken: counts, outcome)
        let advance = advance(moves, to: batch.cursor)
        guard try await connection.execute(advance) == advance.checkpoints.count else { throw ProjectorError.leaseLost }
        outcome.take(moves, behind: batch)
        var failures: [(Int, FailingEvent)] = []
        for (index, projection) in projections.enumerated() {
            var fold = CarefulFold(projection, decoder: decoder)
            do {
                try await fold.fold(taken[index], on: connection)
            } catch let error as PostgresError where error.isLockTimeout {
                throw ProjectorError.applyWaits(projection, cause: error)
            }
            failures += fold.failures.map { (index, $0) }
        }
        return failures
    }

    private func stop(
        _ failures: [(Int, FailingEvent)],
        _ filter: ShardFilter,
        _ outcome: inout Outcome,
        on connection: isolated PostgresConnection
    ) async throws {
        for (index, failing) in failures {
            guard let shard = filter.shard(of: failing.event.stream, at: index) else { continue }
            try await stop(failing, key: key(index, shard), &outcome, on: connection)
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
        outcome.stops.append((key, failing))
    }
}
