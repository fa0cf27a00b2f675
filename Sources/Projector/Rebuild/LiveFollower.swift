internal import EventStore
internal import Postgres
internal import Schema

/// Brings a shadow to exactly where the live model stands, and compares the two there.
struct LiveFollower: Sendable {
    /// Builds this one shadow.
    let build: ShadowBuild
    let model: ShadowModel
    /// The version that is live.
    let live: ProjectionFiles
    /// How many differences to show.
    let limit: Int

    /// The most events that the comparing transaction folds before it compares.
    private var rest: Int { 4 * build.batchSize }

    /// Compares at one snapshot: of the log, of the live rows with their checkpoints, and of the shadow.
    ///
    /// - Parameters:
    ///   - connection: With no transaction open.
    ///   - comparing: Called when folding is done.
    func compare(on connection: PostgresConnection, _ comparing: @Sendable () -> Void) async throws -> ModelComparison {
        while true {
            try await follow(on: connection)
            comparing()
            let result = try await connection.transaction(isolation: .repeatableRead, retries: 10) { connection in
                try await compareHere(on: connection)
            }
            // `nil` if the live model has moved too far ahead meanwhile.
            if let result { return result }
        }
    }

    /// Follows the live checkpoints until little is left between the two.
    private func follow(on connection: PostgresConnection) async throws {
        while true {
            let checkpoints = try await connection.query(ShadowCheckpoint.Load(model: model))
            let goals = try await goals(of: checkpoints, on: connection)
            let before = checkpoints.reduce(0) { $0 + $1.read }
            // First all shards together, to where the slowest live shard stands: each connection then reads the log
            // once, not once per shard.
            if let common = Self.common(goals), checkpoints.allSatisfy({ $0.cursor.precedes(common) }) {
                try await build.advance([checkpoints]) { _, _ in common }
            }
            let moved = try await connection.query(ShadowCheckpoint.Load(model: model))
            try await build.advance([moved]) { goals[$1] ?? .beginning }
            let after = try await connection.query(ShadowCheckpoint.Load(model: model)).reduce(0) { $0 + $1.read }
            if after - before < Int64(rest) { return }
        }
    }

    /// The cursor that all live shards have reached; `nil` if there are none.
    func common(on connection: PostgresConnection) async throws -> LogCursor? {
        let rows = try await connection.query(LiveCheckpoints.Select(projection: live))
        return Self.common(Dictionary(rows.map { ($0.shard, $0.cursor) }) { first, _ in first })
    }

    private static func common(_ goals: [Int: LogCursor]) -> LogCursor? {
        let delivered = goals.values.map(\.delivered)
        return delivered.min { $0 != $1 && $0.isSubset(of: $1) }.map { LogCursor(delivered: $0) }
    }

    private func goals(
        of checkpoints: [ShadowCheckpoint],
        on connection: PostgresConnection
    ) async throws -> [Int: LogCursor] {
        let rows = try await connection.query(LiveCheckpoints.Select(projection: live))
        return try checked(rows, for: checkpoints)
    }

    private func checked(
        _ rows: [(shard: Int, shards: Int, cursor: LogCursor)],
        for checkpoints: [ShadowCheckpoint]
    ) throws -> [Int: LogCursor] {
        guard !rows.isEmpty else { return [:] }
        let goals = Dictionary(rows.map { ($0.shard, $0.cursor) }) { first, _ in first }
        for checkpoint in checkpoints {
            guard let goal = goals[checkpoint.shard], rows.count == checkpoint.shards else {
                throw ProjectorError(
                    .rebuildMoved,
                    "the number of shards of \(live.title) changed meanwhile: cancel the rebuild and begin it again"
                )
            }
            guard checkpoint.cursor.precedes(goal) else {
                throw ProjectorError(
                    .rebuildMoved,
                    "the live model of \(live.title) is behind what was built: let `recorder project` catch up, and run "
                        + "this again"
                )
            }
        }
        return goals
    }

    /// - Returns: `nil` if too much is left to fold in one transaction.
    private func compareHere(on connection: isolated PostgresConnection) async throws -> ModelComparison? {
        let checkpoints = try await connection.query(ShadowCheckpoint.Load(model: model))
        let rows = try await connection.query(LiveCheckpoints.Select(projection: live))
        let goals = try checked(rows, for: checkpoints)
        _ = try await connection.first(SetSearchPath(schemas: [model.schema, model.recorder]))
        var folded = 0
        for var lane in ShadowLane.all([checkpoints], to: { goals[$1] ?? .beginning }, parallelism: 1) {
            while lane.cursor != lane.target {
                let step = try await build.fold(lane, isCareful: true, on: connection)
                lane.cursor = step.cursor
                folded += step.events
                if folded > rest { return nil }
            }
        }
        try await model.createViews(live: live, on: connection)
        let comparison = ViewComparison(
            expected: model.schema,
            found: model.liveViews,
            recorder: model.recorder,
            limit: limit
        )
        let result = try await comparison.run(on: connection)
        try await model.dropViews(on: connection)
        return result
    }
}
