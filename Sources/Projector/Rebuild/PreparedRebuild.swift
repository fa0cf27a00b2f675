internal import Schema

/// A shadow to rebuild with, and what it is to replace.
struct PreparedRebuild: Sendable {
    let model: ShadowModel
    let checkpoints: [ShadowCheckpoint]
    /// Whether an earlier run had begun it.
    let isResumed: Bool
    /// The version that it is compared with, which has checkpoints; `nil` if there is none, or if an earlier run
    /// compared.
    let compared: ProjectionFiles?
    /// Whether the views shall read it.
    let isActive: Bool
}
