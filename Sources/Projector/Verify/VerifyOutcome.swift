package import Schema

/// What a verification of one projection found.
package struct VerifyOutcome: Sendable {
    package let projection: ProjectionVersion
    /// What was compared, and what differs.
    package let comparison: ModelComparison
    /// How many streams were compared; `nil` for all.
    package let sampledStreams: Int?
    /// Events that were folded for it.
    package let events: Int
}
