/// What a rebuild did.
package struct RebuildOutcome: Sendable {
    /// What the comparison with the live model found; `nil` if an earlier run compared, or if there was no live model.
    package let comparison: ModelComparison?
    /// Events that this run read.
    package let events: Int
    /// Whether an earlier run began it.
    package let isResumed: Bool
    /// How long readers may have waited for the swap.
    package let swap: Duration
}
