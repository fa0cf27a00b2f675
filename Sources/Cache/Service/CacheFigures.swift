/// What one process's cache of one kind has done since it was made.
public struct CacheFigures: Sendable, Hashable {
    /// Which cache.
    public let kind: CacheKind
    /// Lookups that found their value in memory.
    public let memoryHits: Int
    /// Lookups that found their value in the table.
    public let tableHits: Int
    /// Lookups whose value was computed.
    public let misses: Int
    /// Lookups that waited for a value that another task was looking for.
    public let joined: Int
    /// Values that were recomputed before they expired.
    public let refreshed: Int
    /// Values that were evicted from memory to make room.
    public let evicted: Int
    /// Times that the table could not be used.
    public let failed: Int
    /// Values in memory.
    public let entries: Int
    /// Bytes that the values in memory take.
    public let bytes: Int
}
