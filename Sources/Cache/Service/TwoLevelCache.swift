package import FoundationEssentials
package import Logging
package import Postgres
internal import Synchronization

/// Values in memory, backed by a table that all processes share, and computed where neither has them.
///
/// A failure of the table is no error for the caller: the value is computed instead, and the failure is counted and
/// logged. A table that does not answer in time is left alone for a while.
package final class TwoLevelCache<Content: CacheContent>: Sendable {
    /// Computes a value.
    package typealias Compute = @Sendable () async throws -> Content.Value
    typealias Memory = MemoryCache<CacheAddress, Content.Value>

    /// What happened outside memory.
    private struct Counts {
        var tableHits = 0
        var computed = 0
        var refreshed = 0
        var failed = 0
        /// When the table may be asked again: not for a while after it did not answer.
        var asksFrom = ContinuousClock.now
        /// Whether this process hears of changes: while it does not, no user's values are kept in memory.
        var isHearing = false
    }

    let memory: Memory
    private let pool: PostgresPool
    private let sql = CacheSQL<Content>()
    private let lifetime: Duration
    private let refreshAfter: Double
    private let pause: Duration
    private let refreshes: RefreshQueue
    private let logger: Logger
    private let counts = Mutex(Counts())

    /// - Parameters:
    ///   - pool: Its connections' search path has the schema first.
    ///   - refreshes: Recomputes values before they expire.
    package init(_ pool: PostgresPool, _ options: CacheOptions, refreshes: RefreshQueue, logger: Logger) {
        self.pool = pool
        memory = Memory(byteLimit: options.byteLimit(of: Content.kind))
        lifetime = options.lifetime(of: Content.kind)
        refreshAfter = options.refreshAfter
        pause = options.patience * 2
        self.refreshes = refreshes
        self.logger = logger
    }

    // MARK: Looking up

    /// The value of a key: from memory, from the table, or computed, by one task of this process at a time.
    ///
    /// - Throws: What `compute` throws; `CancellationError`.
    package func value(for key: Content.Key, compute: @escaping Compute) async throws -> Content.Value {
        let address = Content.address(of: key)
        return try await memory.value(for: address) {
            refreshes.add { await self.refresh(key, at: address, compute) }
        } compute: {
            let table = try await find(address)
            if let (value, remaining) = table?.found {
                counts.withLock { $0.tableHits += 1 }
                return fresh(value, remaining: remaining)
            }
            let value = try await compute()
            counts.withLock { $0.computed += 1 }
            if let table { try await store(value, key, at: address, generation: table.generation) }
            return fresh(value, remaining: lifetime)
        }
    }

    /// Recomputes a value that will expire soon, or takes what another process has computed.
    private func refresh(_ key: Content.Key, at address: CacheAddress, _ compute: Compute) async {
        do {
            try await memory.refresh(address) {
                let table = try await find(address)
                if let (value, remaining) = table?.found, remaining > lifetime * (1 - refreshAfter) {
                    return fresh(value, remaining: remaining)
                }
                let value = try await compute()
                counts.withLock { $0.refreshed += 1 }
                if let table { try await store(value, key, at: address, generation: table.generation) }
                return fresh(value, remaining: lifetime)
            }
        } catch is CancellationError {
            // The service is ending.
        } catch {
            logger.warning(
                "a cached value could not be computed anew, the old one stays until it expires",
                metadata: ["kind": "\(Content.kind.rawValue)", "error": "\(error)"]
            )
        }
    }

    private func fresh(_ value: Content.Value, remaining: Duration) -> Memory.Fresh {
        let isKept = !Content.kind.isPerUser || counts.withLock { $0.isHearing }
        let refresh = remaining - lifetime * (1 - refreshAfter)
        return Memory.Fresh(
            value,
            cost: Content.cost(of: value),
            lifetime: isKept ? remaining : .zero,
            refreshAfter: refreshAfter < 1 ? max(.zero, refresh) : nil
        )
    }

    // MARK: The table

    private func find(_ address: CacheAddress) async throws -> FoundValue<Content.Value>? {
        guard counts.withLock({ $0.asksFrom }) <= .now else { return nil }
        return try await tolerantly("read") {
            try await rows(FindCached<Content>(sql: sql.find, address: address), for: address.user).first
        }
    }

    private func store(
        _ value: Content.Value,
        _ key: Content.Key,
        at address: CacheAddress,
        generation: Int64
    ) async throws {
        let statement = StoreCached<Content>(
            sql: sql.store,
            address: address,
            key: key,
            value: value,
            generation: generation,
            lifetime: lifetime
        )
        _ = try await tolerantly("written") { try await rows(statement, for: address.user) }
    }

    /// Runs a statement, as the user if the value belongs to one, in one round trip.
    private func rows<S: PostgresStatement>(_ statement: S, for user: UUID?) async throws -> [S.Row] {
        guard let user else { return try await pool.query(statement) }
        return try await pool.withConnection { try await $0.pipeline(ActFor(user), statement).1 }
    }

    /// Runs what may fail without harm: a database error is counted and logged, and gives `nil`.
    private func tolerantly<R>(_ what: String, _ body: () async throws -> R?) async throws -> R? {
        do {
            return try await body()
        } catch let error as PostgresError {
            try Task.checkCancellation()
            let isAway = (error.isRetryable && !error.endsTransactionOnly) || error.isLockTimeout
            counts.withLock { counts in
                counts.failed += 1
                if isAway { counts.asksFrom = .now + pause }
            }
            logger.warning(
                "a cache's table could not be \(what)",
                metadata: ["kind": "\(Content.kind.rawValue)", "error": "\(error)"]
            )
            return nil
        }
    }

    // MARK: Keeping

    /// Reads the values that were used most into memory.
    ///
    /// - Parameters:
    ///   - user: Whose values, where they belong to users.
    ///   - count: How many at most.
    /// - Returns: How many were read into memory; none of a user's while this process does not hear of changes.
    /// - Throws: `PostgresError`; `CancellationError`.
    @discardableResult
    package func warm(user: UUID? = nil, count: Int) async throws -> Int {
        try await memory.fill {
            guard !Content.kind.isPerUser || counts.withLock({ $0.isHearing }) else { return [] }
            let statement = MostUsed<Content>(sql: sql.mostUsed, user: user, limit: count)
            return try await rows(statement, for: user).map { ($0.address, fresh($0.value, remaining: $0.lifetime)) }
        }
    }

    /// Drops what is in memory: of a user, or of all.
    package func drop(user: UUID?) { memory.drop { user == nil || $0.user == user } }

    /// Sets whether this process hears of changes from now on, and drops what is in memory, which may have changed
    /// before.
    func hear(_ isHearing: Bool) {
        if !isHearing { counts.withLock { $0.isHearing = false } }
        memory.dropAll()
        if isHearing { counts.withLock { $0.isHearing = true } }
    }

    /// Adds the hits since the last time to the table's counts, for each user separately.
    func countHits() async throws {
        for (user, uses) in Dictionary(grouping: memory.takeUses(), by: \.key.user) {
            for start in stride(from: 0, to: uses.count, by: 1_000) {
                let some = Array(uses[start..<min(start + 1_000, uses.count)])
                _ = try await rows(CountHits(kind: Content.kind, uses: some), for: user)
            }
        }
    }

    /// What this cache has done since it was made.
    package var figures: CacheFigures {
        let (memory, counts) = (memory.statistics, counts.withLock { $0 })
        return CacheFigures(
            kind: Content.kind,
            memoryHits: memory.hits,
            tableHits: counts.tableHits,
            misses: counts.computed,
            joined: memory.joined,
            refreshed: counts.refreshed,
            evicted: memory.evicted,
            failed: counts.failed,
            entries: memory.entries,
            bytes: memory.bytes
        )
    }
}
