internal import EventModel
internal import EventStore
internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Schema

/// Which shards a worker holds: claiming them, releasing them, and storing their cursors.
extension ProjectorWorker {
    /// Claims and releases shards until this worker holds those that ``ShardAssignment`` gives it.
    ///
    /// Shards are divided among the workers that carry their projection: the others would never claim them. Events wait
    /// meanwhile, so it looks less often while all is settled and the same workers live.
    ///
    /// - Throws: ``ProjectorError`` with `.mixedShards` or `.leaseLost`; `PostgresError`.
    mutating func settleOwnership(on connection: PostgresConnection) async throws {
        let living = fleet.living
        if let surveyed, surveyed + (living == settledAmong ? Self.settledTick : Self.tick) > .now { return }
        surveyed = .now
        settledAmong = nil
        let survey = try await connection.query(Lease.Survey(projections: projections))
        try Self.refuseMixedShards(survey)
        for row in survey where owned[row.key] != nil && row.owner != id { owned[row.key] = nil }
        let ids = Set(living.map(\.id))
        var mine: [ProjectionVersion: Set<Int>] = [:]
        var released: [Checkpoint] = []
        var claimed: [ProjectionShard] = []
        var forgotten: [ProjectionShard] = []
        for row in survey {
            let projection = row.key.projection
            let wanted = mine[projection] ?? shards(of: projection, among: living, count: row.shards)
            mine[projection] = wanted
            if let own = owned[row.key] {
                if !wanted.contains(row.key.shard) { released.append(own.checkpoint) }
            } else if wanted.contains(row.key.shard), row.owner.map({ !ids.contains($0) || $0 == id }) ?? true {
                claimed.append(row.key)
            } else if row.owner == id {
                // This worker claimed it and forgot it after an error. It is assigned to another worker now, which
                // waits for it to be given back.
                forgotten.append(row.key)
            }
        }
        let wantsMore = survey.contains {
            owned[$0.key] == nil && mine[$0.key.projection]?.contains($0.key.shard) == true
        }
        if !wantsMore, released.isEmpty, forgotten.isEmpty { settledAmong = living }
        if !forgotten.isEmpty { try await connection.execute(Lease.ReleaseForgotten(owner: id, forgotten: forgotten)) }
        if !released.isEmpty { try await release(released, on: connection) }
        if !claimed.isEmpty { try await claim(claimed, on: connection) }
        try await settlePart(on: connection)
    }

    private func shards(of projection: ProjectionVersion, among living: Set<LivingWorker>, count: Int) -> Set<Int> {
        ShardAssignment.shards(of: id, among: living.filter { $0.carries(projection) }.map(\.id), count: count)
    }

    /// Refuses a projection with mixed numbers of shards: these overlap, so the same events may have been counted
    /// twice.
    private static func refuseMixedShards(_ survey: [(key: ProjectionShard, shards: Int, owner: UUID?)]) throws {
        for (owner, rows) in Dictionary(grouping: survey, by: \.key.projection) {
            let counts = Set(rows.map(\.shards)).sorted()
            guard counts.count > 1 else { continue }
            throw ProjectorError(
                .mixedShards,
                "the checkpoints of \(owner) are for \(counts.map(String.init).joined(separator: " and for ")) shards, so its "
                    + "rows may count events twice: stop all projectors, delete its rows of projection_checkpoints, and run "
                    + "`recorder projections rebuild \(owner.name) --version \(owner.version)`",
                projection: owner
            )
        }
    }

    /// Sets the shard under which this worker writes additive rows, so that workers do not wait for each other's rows:
    /// the lowest one that it holds, among the projections with the most shards.
    private mutating func settlePart(on connection: PostgresConnection) async throws {
        let most = owned.values.map(\.checkpoint.shards).max()
        let lowest = owned.values.filter { $0.checkpoint.shards == most }.map(\.checkpoint.key.shard).min() ?? 0
        guard additivePart != lowest else { return }
        try await connection.set("recorder.shard", to: "\(lowest)")
        additivePart = lowest
    }

    private mutating func claim(_ keys: [ProjectionShard], on connection: PostgresConnection) async throws {
        let checkpoints = try await connection.query(Lease.Claim(owner: id, wanted: keys))
        guard !checkpoints.isEmpty else { return }
        let stopped = try await connection.query(Quarantine.Select(keys: checkpoints.map(\.key)))
        for checkpoint in checkpoints {
            let streams = stopped.filter { $0.key == checkpoint.key }.map(\.stream)
            owned[checkpoint.key] = OwnedShard(checkpoint, stopped: Set(streams))
        }
        logger.debug("claimed \(checkpoints.count) shards", metadata: ["worker": "\(id)"])
    }

    private mutating func release(_ checkpoints: [Checkpoint], on connection: PostgresConnection) async throws {
        try await writeDown(on: connection, force: true)
        let current = checkpoints.compactMap { owned[$0.key]?.checkpoint }
        try await connection.execute(Lease.Release(owner: id, held: current))
        for checkpoint in current { owned[checkpoint.key] = nil }
        logger.debug("released \(current.count) shards", metadata: ["worker": "\(id)"])
    }

    /// Gives everything back, even in a task that was cancelled; a server that does not take it soon lets the leases
    /// run out.
    mutating func giveBack() async {
        guard !owned.isEmpty, let connection, connection.isOpen else { return }
        logger.debug(
            "a worker ends",
            metadata: ["worker": "\(id)", "rounds": "\(tally.rounds)", "repeated": "\(tally.repeated)"]
        )
        let (id, owned) = (id, owned)
        let task = Task { [logger, fleet] in
            await connection.limitAnswers(to: fleet.farewellTimeout)
            do {
                try await Self.writeDown(owned, owner: id, on: connection)
            } catch let error as ProjectorError where error.code == .leaseLost {
                // The shard's new owner stores how far it is.
            } catch {
                logger.warning("cursors are not written down", metadata: ["error": "\(error)"])
            }
            do {
                let held = Array(owned.values.map(\.checkpoint))
                try await connection.execute(Lease.Release(owner: id, held: held))
            } catch {
                logger.warning("leases run out by themselves", metadata: ["error": "\(error)"])
            }
            await connection.close()
        }
        await task.value
        self.owned = [:]
    }

    /// Stores cursors that moved without events for their shards.
    mutating func writeDown(on connection: PostgresConnection, force: Bool) async throws {
        let interval = hasReadSinceWriteDown ? Self.writeDownIntervals.past : Self.writeDownIntervals.idle
        guard force || writtenDown + interval < .now else { return }
        writtenDown = .now
        hasReadSinceWriteDown = false
        try await Self.writeDown(owned, owner: id, on: connection)
        for (key, own) in owned where own.cursor != own.checkpoint.cursor {
            owned[key]?.advanced(to: own.cursor, given: own.passed)
        }
    }

    private static func writeDown(
        _ owned: [ProjectionShard: OwnedShard],
        owner: UUID,
        on connection: PostgresConnection
    ) async throws {
        let moved = Dictionary(grouping: owned.values.filter { $0.cursor != $0.checkpoint.cursor }, by: \.cursor)
        for (cursor, shards) in moved {
            let shards = shards.sorted { $0.checkpoint.key < $1.checkpoint.key }
            let advance = Checkpoint.Advance(
                owner: owner,
                checkpoints: shards.map(\.checkpoint),
                cursor: cursor,
                given: shards.map(\.passed)
            )
            guard try await connection.execute(advance) == shards.count else { throw ProjectorError.leaseLost }
        }
    }
}
