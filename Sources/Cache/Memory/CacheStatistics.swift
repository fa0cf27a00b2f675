/// What a cache has done since it was made.
public struct CacheStatistics: Sendable, Hashable {
    /// Lookups that found their value in memory.
    public var hits = 0
    /// Lookups that found nothing and had the value computed.
    public var misses = 0
    /// Lookups that waited for a value that another task was computing.
    public var joined = 0
    /// Entries that were evicted to make room.
    public var evicted = 0
    /// Entries that were removed because they had expired.
    public var expired = 0
    /// Entries that were dropped because their source changed, or by hand.
    public var dropped = 0
    /// Entries now.
    public var entries = 0
    /// Bytes now, as far as the given costs are right.
    public var bytes = 0
}
