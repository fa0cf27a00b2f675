internal import EventStore
internal import Postgres
internal import Schema

/// The steps that each shadow takes alone: the rest of catching up, the comparison, and the swap.
struct ShadowRebuild: Sendable {
    let shadow: PreparedRebuild
    /// Builds this shadow alone.
    let build: ShadowBuild
    /// All versions of all projections.
    let all: [ProjectionFiles]
    let options: RebuildOptions

    /// The projection's name.
    var name: String { shadow.model.files.name }

    private var follower: LiveFollower? {
        shadow.compared.map {
            LiveFollower(build: build, model: shadow.model, live: $0, limit: options.differenceLimit)
        }
    }

    /// The cursor to which all shards may go together with other shadows; `nil` if that is the head.
    func goal(on connection: PostgresConnection) async throws -> LogCursor? {
        try await follower?.common(on: connection)
    }

    /// Compares, unless an earlier run did, and swaps.
    ///
    /// - Throws: See ``RebuildResult``.
    func run(on connection: PostgresConnection, _ meter: RebuildMeter) async throws -> RebuildOutcome {
        let model = shadow.model
        let comparison = try await follower?.compare(on: connection) { meter.enter(.comparing, of: name) }
        let differences = comparison?.differenceCount ?? Int(shadow.checkpoints.first?.differences ?? 0)
        guard differences == 0 || options.acceptDifferences else {
            // The next run compares again: somebody may have fixed the differences.
            throw ProjectorError(
                .modelsDiffer,
                "\(model.files.title) built anew differs from the live model in \(differences) "
                    + "row\(differences == 1 ? "" : "s"); nothing was swapped. Run it again with --accept-differences "
                    + "if the new one is right, or cancel it",
                comparison: comparison
            )
        }
        // From here on the shadow may pass the live checkpoints, so a later run does not compare again.
        try await connection.execute(ShadowCheckpoint.SetDifferences(model: model, differences: differences))
        let swap = ShadowSwap(
            build: build,
            model: model,
            all: all,
            isActive: shadow.isActive,
            lockTimeout: options.lockTimeout,
            patience: options.patience
        )
        let duration = try await swap.run(on: connection) { meter.enter($0, of: name) }
        return RebuildOutcome(
            comparison: comparison,
            events: meter.readHere(for: name),
            isResumed: shadow.isResumed,
            swap: duration
        )
    }
}
