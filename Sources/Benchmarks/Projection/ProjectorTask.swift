internal import Postgres
internal import Projector
internal import Schema

/// The projector as a daemon, with all projections, while something is measured.
enum ProjectorTask {
    /// Runs it beside `body`.
    static func with<R: Sendable>(_ database: PostgresConfiguration, _ body: () async throws -> R) async throws -> R {
        let projector = Projector(database, projections: try ProjectionFiles.newest(in: .embedded))
        return try await withTask({ try await projector.run() }, body)
    }

    /// Runs work that does not end by itself beside `body`, and cancels it when `body` ends.
    static func withTask<R: Sendable>(
        _ work: @escaping @Sendable () async throws -> Void,
        _ body: () async throws -> R
    ) async throws -> R {
        let task = Task {
            do { try await work() } catch is CancellationError {}
        }
        do {
            let result = try await body()
            task.cancel()
            try await task.value
            return result
        } catch {
            task.cancel()
            try? await task.value
            throw error
        }
    }
}
