/// A shadow to go on with.
struct PreparedShadow: Sendable {
    let checkpoints: [ShadowCheckpoint]
    /// Whether an earlier run had begun it.
    let isResumed: Bool
}
