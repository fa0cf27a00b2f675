internal import Postgres
internal import Projector
internal import Schema

/// The projector as a daemon, with all projections, while something is measured.
enum ProjectorTask {
    /// Runs it beside `body`.
    static func with<R: Sendable>(
        _ database: PostgresConfiguration,
        _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        let projector = Projector(database, projections: try ProjectionFiles.newest(in: .embedded))
        return try await withTask({ try await projector.run() }, body)
    }

    /// Runs work that does not end by itself beside `body`, and cancels it when `body` ends; cancels `body` if the work
    /// fails.
    static func withTask<R: Sendable>(
        _ work: @escaping @Sendable () async throws -> Void,
        _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                do { try await work() } catch is CancellationError {}
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else {
                throw BenchmarkError(.process, "the projector ended before what was measured did")
            }
            group.cancelAll()
            _ = try await group.next()
            return result
        }
    }
}
