internal import EventStore
internal import Postgres

/// Catches shadows up together, as far as their goals agree: to where their live models stand, or to the head.
struct SharedCatchUp: Sendable {
    /// The rebuilds that catch up.
    let rebuilds: [ShadowRebuild]
    /// Builds their shadows, in the same order.
    let build: ShadowBuild

    /// Catches up. Little is then left to do for each alone, unless one of them stands elsewhere.
    ///
    /// - Throws: As ``ShadowBuild/advance(_:to:)``.
    func run(on connection: PostgresConnection) async throws {
        guard let head = try await connection.first(LogReader.CurrentSnapshot())?.snapshot else { return }
        var goals: [LogCursor] = []
        for rebuild in rebuilds { goals.append(try await rebuild.goal(on: connection) ?? LogCursor(delivered: head)) }
        // All of them go to the nearest goal, then those that have further to go to the next one.
        for goal in Set(goals).sorted(by: { $0 != $1 && $0.precedes($1) }) {
            let checkpoints = try await build.checkpoints(on: connection).enumerated().map { index, shards in
                goal.precedes(goals[index]) && shards.allSatisfy { $0.cursor.precedes(goal) } ? shards : []
            }
            try await build.advance(checkpoints) { _, _ in goal }
        }
    }
}
