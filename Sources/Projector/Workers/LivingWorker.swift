internal import FoundationEssentials
internal import Schema

/// A living worker of any process.
struct LivingWorker: Hashable, Sendable {
    let id: UUID
    /// The versions of projections that it works on, each as its ``ProjectionVersion/description``; `nil` if its
    /// program does not say.
    let projections: Set<String>?

    /// Whether it takes shards of a projection. One whose program does not say counts for all, as old programs do.
    func carries(_ projection: ProjectionVersion) -> Bool { projections?.contains(projection.description) ?? true }
}
