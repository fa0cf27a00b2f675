internal import Schema

/// A shadow that is ready to be built, and what it is to replace.
struct PreparedRebuild: Sendable {
    let model: ShadowModel
    let checkpoints: [ShadowCheckpoint]
    /// Whether an earlier run began it.
    let isResumed: Bool
    /// The version to compare it with, which has checkpoints; `nil` if there is none, or if an earlier run has
    /// compared.
    let compared: ProjectionFiles?
    /// Whether the views are to read it.
    let isActive: Bool
}
