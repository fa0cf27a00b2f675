/// How caches keep their values.
public struct CacheOptions: Sendable {
    /// For how long values of each kind are served; ``CacheKind/usualLifetime`` unless given.
    public var lifetimes: [CacheKind: Duration]
    /// How many bytes the values of each kind may take in memory; 16 MiB unless given.
    public var byteLimits: [CacheKind: Int]
    /// The part of its lifetime after which a value that is asked for is recomputed before it expires: above 0 and at
    /// most 1, where 1 means never.
    public var refreshAfter: Double
    /// How many of the most used values are read into memory at the start.
    public var warmCount: Int
    /// How often hits are counted and figures reported in the database.
    public var reportInterval: Duration
    /// How often expired rows are deleted.
    public var sweepInterval: Duration
    /// The most rows of a table that one statement deletes.
    public var sweepBatch: Int
    /// How much silence to allow before checking that changes are still heard.
    public var checkInterval: Duration
    /// How long the database may take to connect and to answer before a value is computed without it. It is asked again
    /// after twice that time; a lock is waited for a quarter of it.
    public var patience: Duration

    /// Makes options with the usual values.
    public init(
        lifetimes: [CacheKind: Duration] = [:],
        byteLimits: [CacheKind: Int] = [:],
        refreshAfter: Double = 0.8,
        warmCount: Int = 1_000,
        reportInterval: Duration = .seconds(10),
        sweepInterval: Duration = .seconds(60),
        sweepBatch: Int = 1_000,
        checkInterval: Duration = .seconds(10),
        patience: Duration = .seconds(2)
    ) {
        self.lifetimes = lifetimes
        self.byteLimits = byteLimits
        self.refreshAfter = refreshAfter
        self.warmCount = warmCount
        self.reportInterval = reportInterval
        self.sweepInterval = sweepInterval
        self.sweepBatch = sweepBatch
        self.checkInterval = checkInterval
        self.patience = patience
    }

    func lifetime(of kind: CacheKind) -> Duration { lifetimes[kind] ?? kind.usualLifetime }
    func byteLimit(of kind: CacheKind) -> Int { byteLimits[kind] ?? 16 << 20 }

    /// - Throws: ``CacheError`` with `.invalidArgument` that names the option.
    func check() throws(CacheError) {
        func refuse(_ name: String, _ bounds: String) -> CacheError {
            CacheError(.invalidArgument, "\(name) must be \(bounds)")
        }
        for kind in CacheKind.allCases {
            guard lifetime(of: kind) > .zero, lifetime(of: kind) <= .seconds(365 * 86_400) else {
                throw refuse("the lifetime of \(kind.rawValue)", "above zero and at most a year")
            }
            guard byteLimit(of: kind) >= 0 else { throw refuse("the byte limit of \(kind.rawValue)", "0 or more") }
        }
        guard refreshAfter > 0, refreshAfter <= 1 else { throw refuse("refreshAfter", "above 0 and at most 1") }
        guard warmCount >= 0 else { throw refuse("warmCount", "0 or more") }
        guard (1...100_000).contains(sweepBatch) else { throw refuse("sweepBatch", "1 to 100000") }
        guard min(reportInterval, sweepInterval, checkInterval) > .zero else {
            throw refuse("each interval", "above zero")
        }
        guard (Duration.milliseconds(10)...Duration.seconds(3600)).contains(patience) else {
            throw refuse("patience", "10 ms to an hour")
        }
    }
}
