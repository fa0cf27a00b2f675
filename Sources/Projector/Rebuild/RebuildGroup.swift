internal import EventStore
package import Logging
package import Postgres
package import Schema

/// Rebuilds versions of several projections beside the live ones, in one reading of the log; compares each with its
/// live model, and puts each in place in a short transaction of its own.
///
/// Folded rows are committed with their checkpoints, so a killed rebuild resumes where it was when it is run again:
/// each shadow from its own checkpoints, whichever others it is rebuilt with. One process at a time builds a shadow; a
/// second one fails when it meets the first.
///
/// A new model follows the live model's checkpoints until both hold the same events. There they are compared; then the
/// new one goes on to the head. If one model fails, the others go on.
package struct RebuildGroup: Sendable {
    private let configuration: PostgresConfiguration
    private let schema: String
    private let all: [ProjectionFiles]
    private let projections: [ProjectionFiles]
    private let options: RebuildOptions
    private let logger: Logger

    /// - Parameters:
    ///   - projections: Names, each once, and the versions to build; `nil` for the newest.
    ///   - all: All versions of all projections.
    ///   - configuration: The database, with the recorder's schema.
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if there is no such version.
    package init(
        _ projections: [(name: String, version: Int?)],
        among all: [ProjectionFiles],
        configuration: PostgresConfiguration,
        options: RebuildOptions = RebuildOptions(),
        logger: Logger = Logger(label: "recorder.rebuild")
    ) throws {
        self.projections = try projections.map { try all.version($0.version, of: $0.name) }
        self.all = all
        self.configuration = configuration
        schema = configuration.recorderSchema
        self.options = options
        self.logger = logger
    }

    /// Builds the new models, compares them and swaps them in.
    ///
    /// - Parameter progress: Called after each batch and when a phase begins, from several threads.
    /// - Returns: What became of each, in the order in which they were given.
    /// - Throws: ``ProjectorError`` with `.restoredLog`; `PostgresError` if the server cannot be reached at the
    ///   beginning; `CancellationError`.
    package func run(
        _ progress: @escaping @Sendable (RebuildProgress) -> Void = { _ in }
    ) async throws -> [RebuildResult] {
        let models = projections.map { ShadowModel($0, purpose: .rebuild, recorder: schema) }
        let session = ShadowModel.session(of: models, configuration)
        return try await FoldSession.withPool(session, size: options.parallelism) { pool in
            try await FoldSession.withConnection(configuration, schema: schema, logger: logger) { connection in
                try await run(models, folding: pool, on: connection, progress)
            }
        }
    }

    /// Cancels the rebuild: removes the shadows and their records. A rebuild under way fails at its next batch.
    ///
    /// - Returns: The names of the projections that had a shadow.
    @discardableResult
    package func cancel() async throws -> [String] {
        try await FoldSession.withConnection(configuration, schema: schema, logger: logger) { connection in
            var removed: [String] = []
            for files in projections {
                let model = ShadowModel(files, purpose: .rebuild, recorder: schema)
                if try await model.discard(on: connection) { removed.append(files.name) }
            }
            return removed
        }
    }

    private func run(
        _ models: [ShadowModel],
        folding pool: PostgresPool,
        on connection: PostgresConnection,
        _ progress: @escaping @Sendable (RebuildProgress) -> Void
    ) async throws -> [RebuildResult] {
        var outcomes: RebuildCourse.Outcomes = [:]
        let prepared = try await prepare(models, on: connection, failures: &outcomes)
        let meter = RebuildMeter(prepared.map(\.checkpoints), progress)
        let decoder = EventDecoder(keys: options.keys)
        func build(of models: [ShadowModel]) -> ShadowBuild {
            ShadowBuild(of: models, on: pool, decoder: decoder, options: options) {
                meter.add($0, for: models)
            }
        }
        let rebuilds = prepared.map { shadow in
            ShadowRebuild(shadow: shadow, build: build(of: [shadow.model]), all: all, options: options)
        }
        var course = RebuildCourse(of: rebuilds) { build(of: $0) }
        outcomes.merge(try await course.run(on: connection, meter)) { $1 }
        return projections.compactMap { files in
            outcomes[files.name].map { RebuildResult(projection: files, outcome: $0) }
        }
    }

    /// Prepares the shadows, each by itself.
    private func prepare(
        _ models: [ShadowModel],
        on connection: PostgresConnection,
        failures: inout RebuildCourse.Outcomes
    ) async throws -> [PreparedRebuild] {
        var preparation = try await RebuildPreparation(all: all, schema: schema, on: connection)
        var prepared: [PreparedRebuild] = []
        for model in models {
            do {
                prepared.append(try await preparation.run(model, on: connection))
            } catch {
                try Task.checkCancellation()
                failures[model.files.name] = .failure(error)
            }
        }
        return prepared
    }
}
