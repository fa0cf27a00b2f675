internal import EventModel
internal import EventStore
internal import Postgres
internal import Schema
internal import Synchronization

/// Folds the log into a shadow: shards in parallel on a bounded number of connections, each batch in a transaction with
/// its checkpoints.
struct ShadowBuild: Sendable {
    /// Shards that stand at one cursor and go to one other.
    struct Lane: Sendable {
        var shards: [Int]
        var cursor: LogCursor
        let target: LogCursor
    }

    /// What folding a batch has come to.
    struct Step: Sendable {
        /// The cursor behind the batch.
        let cursor: LogCursor
        /// How many events were read.
        var read = 0
        /// What their payloads weigh, in bytes as they are stored.
        var weight = 0
    }

    let model: ShadowModel
    /// The one projection's.
    let plan: BatchPlan
    let configuration: PostgresConfiguration
    let parallelism: Int
    let batchSize: Int
    let decoder: EventDecoder
    /// Told how many events each batch read.
    let progress: @Sendable (Int) -> Void

    private var projection: Projection { plan.projections[0] }

    /// Brings every shard to its target.
    ///
    /// - Parameters:
    ///   - checkpoints: Where the shards stand; each precedes its target.
    ///   - target: Where a shard shall stand.
    /// - Throws: ``ProjectorError`` with `.failingEvent`, or `.rebuildMoved` if another process builds the same shadow;
    ///   `PostgresError`; `CancellationError`.
    func advance(_ checkpoints: [ShadowCheckpoint], to target: (Int) -> LogCursor) async throws {
        let shards = checkpoints.first?.shards ?? 1
        let lanes = Self.lanes(checkpoints, to: target, parallelism: parallelism)
        let turns = Turns()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, lane) in lanes.enumerated() {
                if index >= parallelism { try await group.next() }
                group.addTask { try await run(lane, of: shards, taking: turns) }
            }
            try await group.waitForAll()
        }
    }

    /// Groups shards that have the same way before them, and divides the groups so that all connections have work.
    static func lanes(
        _ checkpoints: [ShadowCheckpoint],
        to target: (Int) -> LogCursor,
        parallelism: Int
    ) -> [Lane] {
        var lanes: [Lane] = []
        for checkpoint in checkpoints where checkpoint.cursor != target(checkpoint.shard) {
            let goal = target(checkpoint.shard)
            if let index = lanes.firstIndex(where: { $0.cursor == checkpoint.cursor && $0.target == goal }) {
                lanes[index].shards.append(checkpoint.shard)
            } else {
                lanes.append(Lane(shards: [checkpoint.shard], cursor: checkpoint.cursor, target: goal))
            }
        }
        while lanes.count < parallelism,
            let widest = lanes.indices.max(by: { lanes[$0].shards.count < lanes[$1].shards.count }),
            lanes[widest].shards.count > 1
        {
            let half = lanes[widest].shards.count / 2
            var other = lanes[widest]
            other.shards = Array(lanes[widest].shards[half...])
            lanes[widest].shards = Array(lanes[widest].shards[..<half])
            lanes.append(other)
        }
        return lanes
    }

    private func run(_ lane: Lane, of shards: Int, taking turns: Turns) async throws {
        var settings = model.session(configuration)
        settings.settings.merge(FoldSession.settings) { given, _ in given }
        let connection = try await PostgresConnection.connect(settings)
        do {
            var lane = lane
            var limit = BatchLimit(batchSize)
            while lane.cursor != lane.target {
                try Task.checkCancellation()
                let step = try await step(lane, of: shards, limit: limit.events, on: connection, taking: turns)
                lane.cursor = step.cursor
                limit.weigh(events: step.read, bytes: step.weight)
            }
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Folds a batch in a transaction of its own.
    ///
    /// - Returns: What it came to; nothing, at the cursor before it, if the batch has to be tried again.
    private func step(
        _ lane: Lane,
        of shards: Int,
        limit: Int,
        on connection: PostgresConnection,
        taking turns: Turns
    ) async throws -> Step {
        let isTaking = turns.areNeeded
        if isTaking { await turns.take() }
        defer { if isTaking { turns.giveBack() } }
        do {
            do {
                return try await attempt(lane, of: shards, limit: limit, isCareful: false, on: connection)
            } catch let error as PostgresError where error.isEventsFault {
                return try await attempt(lane, of: shards, limit: limit, isCareful: true, on: connection)
            }
        } catch let error as PostgresError where error.isTransactionConflict {
            // Lanes that meet at the same rows, such as one user's chain of hashes, go on one after another.
            turns.need()
            return Step(cursor: lane.cursor)
        }
    }

    private func attempt(
        _ lane: Lane,
        of shards: Int,
        limit: Int,
        isCareful: Bool,
        on connection: PostgresConnection
    ) async throws -> Step {
        let folded = try await connection.transaction(isolation: .repeatableRead) { connection in
            try await fold(lane, of: shards, limit: limit, isCareful: isCareful, on: connection)
        }
        progress(folded.read)
        return folded
    }

    /// Folds a batch in the open transaction.
    ///
    /// A stream with an event that cannot be applied is stopped there, as the workers stop it in the live model.
    ///
    /// - Parameters:
    ///   - limit: How many events to read at most; `nil` before it is known what they weigh.
    ///   - isCareful: Whether to look for the events that fail, after a batch has failed.
    func fold(
        _ lane: Lane,
        of shards: Int,
        limit: Int? = nil,
        isCareful: Bool,
        on connection: isolated PostgresConnection
    ) async throws -> Step {
        let members = ShardSet(count: shards, members: lane.shards)
        let batch = try await LogReader.read(
            on: connection,
            after: lane.cursor,
            until: lane.target,
            limit: limit ?? BatchLimit(batchSize).events,
            shards: members,
            types: EventTypeFilter(projection.handles)
        )
        let stopped = Set(try await connection.query(ShadowQuarantine.Select(model: model, shards: lane.shards)))
        let events = batch.events.filter { !stopped.contains($0.stream) }
        var given = [Int](repeating: 0, count: shards)
        var read = given
        for event in batch.events { read[ShardSet.shard(of: event.stream, count: shards)] += 1 }
        for event in events where projection.handles(try await decoder.type(event.type, on: connection)) {
            given[ShardSet.shard(of: event.stream, count: shards)] += 1
        }
        // The checkpoint moves first: another process that builds the same shadow waits here, and fails.
        let advance = ShadowCheckpoint.Advance(
            model: model,
            shards: lane.shards,
            from: lane.cursor,
            to: batch.cursor,
            given: lane.shards.map { given[$0] },
            read: lane.shards.map { read[$0] }
        )
        let moved = try await connection.pipeline([advance, SetShard(shard: lane.shards.first ?? 0)]).first
        guard moved == lane.shards.count else {
            throw ProjectorError(
                .rebuildMoved,
                "the shadow of \(model.files.title) was moved by another process, or cancelled: this batch was rolled back"
            )
        }
        for failing in try await apply(events, isCareful: isCareful, on: connection) {
            let shard = ShardSet.shard(of: failing.event.stream, count: shards)
            try await connection.execute(ShadowQuarantine.Stop(model: model, shard: shard, failing: failing))
        }
        return Step(cursor: batch.cursor, read: batch.events.count, weight: batch.weight)
    }

    /// Folds events in the open transaction, without a checkpoint.
    ///
    /// - Returns: The events that cannot be applied, at which their streams were stopped.
    func apply(
        _ events: [StoredEvent],
        isCareful: Bool,
        on connection: isolated PostgresConnection
    ) async throws -> [FailingEvent] {
        if isCareful {
            var fold = CarefulFold(projection, decoder: decoder)
            try await fold.fold(events, on: connection)
            return fold.failures
        }
        let builder = BatchBuilder(plan, decoder: decoder)
        let built = try await builder.build(
            events,
            generation: nil,
            on: connection,
            shards: [1],
            mayUseTable: true
        ) { _, _ in true }
        if let statements = built.statements.first, !statements.isEmpty {
            try await built.load(on: connection)
            _ = try await connection.pipeline(statements)
        }
        return built.failures.map(\.failing)
    }

    /// Says whose partial rows are written.
    private struct SetShard: PostgresStatement {
        let shard: Int
        let sql = "select set_config('recorder.shard', $1, true)"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(String(shard))
        }
    }
}

/// A place for one, for lanes that cannot work beside each other.
private final class Turns: Sendable {
    private struct State {
        var areNeeded = false
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Whether lanes have met.
    var areNeeded: Bool { state.withLock { $0.areNeeded } }

    /// Has the lanes take turns from now on.
    func need() { state.withLock { $0.areNeeded = true } }

    /// Waits for the place. Whoever holds it gives it back after a batch, also one that is cancelled.
    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// Gives the place to the next.
    func giveBack() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
