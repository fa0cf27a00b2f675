internal import FoundationEssentials
internal import Schema

/// A worker that lives, of whatever process.
struct LivingWorker: Hashable, Sendable {
    let id: UUID
    /// The versions of projections that it works on, as ``ProjectionVersion/description`` has
    /// them; `nil` if its program does not say.
    let projections: Set<String>?

    /// Whether it takes shards of a projection. Whoever does not say counts for all: so
    /// did every program before this was asked.
    func carries(_ projection: ProjectionVersion) -> Bool { projections?.contains(projection.description) ?? true }
}
