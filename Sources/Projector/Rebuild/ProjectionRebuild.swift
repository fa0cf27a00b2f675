package import Logging
package import Postgres
package import Schema

/// Builds a version of a projection anew beside the live one, compares the two, and puts the new one in place in one short
/// transaction: a ``RebuildGroup`` of one.
package struct ProjectionRebuild: Sendable {
    private let group: RebuildGroup

    /// - Parameters:
    ///   - name: The projection.
    ///   - version: The version to build; the newest unless given.
    ///   - all: All versions of all projections.
    ///   - configuration: The database, with the recorder's schema.
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if there is no such version.
    package init(
        _ name: String,
        version: Int? = nil,
        among all: [ProjectionFiles],
        configuration: PostgresConfiguration,
        options: RebuildOptions = RebuildOptions(),
        logger: Logger = Logger(label: "recorder.rebuild")
    ) throws {
        group = try RebuildGroup(
            [(name, version)],
            among: all,
            configuration: configuration,
            options: options,
            logger: logger
        )
    }

    /// Rebuilds.
    ///
    /// - Parameter progress: Told after each batch, from several threads.
    /// - Throws: What ``RebuildGroup/Result`` says of a failure, and what ``RebuildGroup/run(_:)`` throws.
    @discardableResult
    package func run(_ progress: @escaping @Sendable (RebuildProgress) -> Void = { _ in }) async throws
        -> RebuildOutcome
    {
        let results = try await group.run(progress)
        guard let result = results.first else { preconditionFailure("a group of one has one result") }
        return try result.outcome.get()
    }

    /// Stops caring: removes the shadow and what is known of it. A rebuild under way fails at its next batch.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    package func cancel() async throws -> Bool { try await !group.cancel().isEmpty }
}
