internal import EventStore
internal import Postgres
internal import Schema

/// Folds the log into shadows: shards in parallel on a bounded number of connections, each batch in a transaction with
/// its checkpoints.
///
/// Shadows that stand at the same cursor share what is read, decoded and copied.
struct ShadowBuild: Sendable {
    /// The result of folding a batch.
    struct Step: Sendable {
        /// The cursor after the batch.
        let cursor: LogCursor
        /// How many events of the batch each shadow's projection handles, by the shadow's index.
        let read: [Int]
        /// How many events were read, and the size of their payloads, in bytes as they are decoded.
        var events = 0
        var weight = 0
    }

    /// The shadows, all with one purpose, no two of one projection.
    let models: [ShadowModel]
    /// The plan for their projections, in the same order.
    let plan: BatchPlan
    /// How many events one transaction folds at most.
    let batchSize: Int
    let decoder: EventDecoder
    private let pool: PostgresPool
    private let parallelism: Int
    /// Called after each batch with the number of events read for each shadow, by its index.
    private let progress: @Sendable ([Int]) -> Void

    var projections: [ProjectionFiles] { plan.projections }

    /// - Parameters:
    ///   - models: The shadows.
    ///   - pool: Sessions whose search path includes the shadows; see ``ShadowModel/session(of:_:)``.
    ///   - decoder: Reads payloads; several builds may share it.
    ///   - options: How many connections fold, and how much at a time.
    init(
        of models: [ShadowModel],
        on pool: PostgresPool,
        decoder: EventDecoder,
        options: RebuildOptions,
        progress: @escaping @Sendable ([Int]) -> Void
    ) {
        self.models = models
        plan = BatchPlan(models.map(\.files))
        self.pool = pool
        self.decoder = decoder
        parallelism = max(1, options.parallelism)
        batchSize = max(1, options.batchSize)
        self.progress = progress
    }

    /// Where the shards of each shadow stand, by the shadow's index.
    func checkpoints(on connection: PostgresConnection) async throws -> [[ShadowCheckpoint]] {
        try await connection.pipeline(each: models.map { ShadowCheckpoint.Load(model: $0) })
    }

    /// Brings shards to their targets.
    ///
    /// - Parameters:
    ///   - checkpoints: Where the shards of each shadow stand, by its index; each precedes its target.
    ///   - target: The cursor that a shard of a shadow is to reach.
    /// - Throws: ``ProjectorError`` with `.rebuildMoved` if another process builds one of the shadows, with
    ///   `.projectionFailed` if one's SQL fails; both name the projection. `PostgresError`; `CancellationError`.
    func advance(
        _ checkpoints: [[ShadowCheckpoint]],
        to target: (_ index: Int, _ shard: Int) -> LogCursor
    ) async throws {
        let lanes = ShadowLane.all(checkpoints, to: target, parallelism: parallelism)
        let turns = LaneTurns()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, lane) in lanes.enumerated() {
                if index >= parallelism { try await group.next() }
                group.addTask { try await run(lane, taking: turns) }
            }
            try await group.waitForAll()
        }
    }

    private func run(_ lane: ShadowLane, taking turns: LaneTurns) async throws {
        try await pool.withConnection { connection in
            var lane = lane
            var limit = BatchLimit(batchSize)
            while lane.cursor != lane.target {
                try Task.checkCancellation()
                let step = try await step(lane, limit: limit.events, on: connection, taking: turns)
                lane.cursor = step.cursor
                limit.weigh(events: step.events, bytes: step.weight)
            }
        }
    }

    /// Folds a batch in a transaction of its own.
    ///
    /// - Returns: The result; no events, and the cursor unchanged, if the batch has to be tried again.
    private func step(
        _ lane: ShadowLane,
        limit: Int,
        on connection: PostgresConnection,
        taking turns: LaneTurns
    ) async throws -> Step {
        let isTaking = turns.areNeeded
        if isTaking { await turns.take() }
        defer { if isTaking { turns.giveBack() } }
        do {
            do {
                return try await attempt(lane, limit: limit, isCareful: false, on: connection)
            } catch let error as PostgresError where error.isEventsFault || error.isProjectionsFault {
                return try await attempt(lane, limit: limit, isCareful: true, on: connection)
            }
        } catch let error as PostgresError where error.isTransactionConflict {
            // Lanes that collide on the same rows, such as one user's hash chain, take turns from now on.
            turns.need()
            return Step(cursor: lane.cursor, read: models.map { _ in 0 })
        }
    }

    private func attempt(
        _ lane: ShadowLane,
        limit: Int,
        isCareful: Bool,
        on connection: PostgresConnection
    ) async throws -> Step {
        let folded = try await connection.transaction(isolation: .repeatableRead) { connection in
            try await fold(lane, limit: limit, isCareful: isCareful, on: connection)
        }
        progress(folded.read)
        return folded
    }
}
