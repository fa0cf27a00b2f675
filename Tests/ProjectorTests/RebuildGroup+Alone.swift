import Projector

extension RebuildGroup {
    /// Rebuilds the only projection of the group.
    ///
    /// - Throws: What ``RebuildResult`` says of a failure, and what ``RebuildGroup/run(_:)`` throws.
    @discardableResult
    func runAlone(_ progress: @escaping @Sendable (RebuildProgress) -> Void = { _ in }) async throws -> RebuildOutcome {
        try await run(progress)[0].outcome.get()
    }
}
