internal import EventStore
internal import Postgres

/// The way that shadows have in common: to where their live models stand, or to the head, as far as all of them go.
struct SharedCatchUp: Sendable {
    /// Those that have it before them.
    let rebuilds: [ShadowRebuild]
    /// Of their shadows, in the same order.
    let build: ShadowBuild

    /// Catches up. What is left to do for each alone is little, unless one of them stands elsewhere.
    ///
    /// - Throws: As ``ShadowBuild/advance(_:to:)``.
    func run(on connection: PostgresConnection) async throws {
        guard let head = try await connection.first(LogReader.CurrentSnapshot())?.snapshot else { return }
        var goals: [LogCursor] = []
        for rebuild in rebuilds { goals.append(try await rebuild.goal(on: connection) ?? LogCursor(delivered: head)) }
        // To the nearest goal all of them, then to the next one those that have it still before them.
        for goal in Set(goals).sorted(by: { $0 != $1 && $0.precedes($1) }) {
            let checkpoints = try await build.checkpoints(on: connection).enumerated().map { index, shards in
                goal.precedes(goals[index]) && shards.allSatisfy { $0.cursor.precedes(goal) } ? shards : []
            }
            try await build.advance(checkpoints) { _, _ in goal }
        }
    }
}
