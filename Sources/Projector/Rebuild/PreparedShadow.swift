/// A shadow that is ready to be built.
struct PreparedShadow: Sendable {
    let checkpoints: [ShadowCheckpoint]
    /// Whether an earlier run began it.
    let isResumed: Bool
}
