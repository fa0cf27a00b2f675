/// What a rebuild did.
package struct RebuildOutcome: Sendable {
    /// What the comparison with the live model found; `nil` if an earlier run had compared.
    package let comparison: ModelComparison?
    /// Events that this run read.
    package let events: Int
    /// Whether an earlier run had begun it.
    package let isResumed: Bool
    /// How long readers may have waited for the swap.
    package let swap: Duration
}
