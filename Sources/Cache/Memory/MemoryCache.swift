public import Synchronization

/// Values in memory: the least recently used are evicted, all expire, and one task at a time computes each.
///
/// A hit costs a lock, a lookup and two list changes, and allocates nothing.
public final class MemoryCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// A value that was just computed, and how to keep it.
    public struct Fresh: Sendable {
        /// The value.
        public let value: Value
        /// How many bytes it takes, as far as is known.
        public let cost: Int
        /// For how long it may be served; nothing is kept if it is zero.
        public let lifetime: Duration
        /// After how long a hit asks for a new value; `nil` for never.
        public let refreshAfter: Duration?

        /// Makes a fresh value.
        public init(_ value: Value, cost: Int, lifetime: Duration, refreshAfter: Duration? = nil) {
            self.value = value
            self.cost = cost
            self.lifetime = lifetime
            self.refreshAfter = refreshAfter
        }
    }

    @usableFromInline
    enum Outcome: Sendable {
        case value(Value)
        case lead
        case again
    }
    @usableFromInline typealias Waiter = CheckedContinuation<Outcome, any Error>
    @usableFromInline typealias State = MemoryCacheState<Key, Value, Waiter>

    @usableFromInline let state: Mutex<State>
    @usableFromInline let now: @Sendable () -> ContinuousClock.Instant

    /// Makes an empty cache.
    ///
    /// - Parameter byteLimit: How many bytes its values may take, including the cache's own overhead for each.
    public convenience init(byteLimit: Int) { self.init(byteLimit: byteLimit) { .now } }

    /// - Parameter now: The clock.
    package init(byteLimit: Int, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        state = Mutex(State(byteLimit: byteLimit))
        self.now = now
    }

    /// What the cache has done so far.
    public var statistics: CacheStatistics { state.withLock { $0.statistics } }

    /// The value of a key, if it is here and has not expired.
    @inlinable
    public func value(for key: Key) -> Value? {
        let now = now()
        return state.withLock { $0.use(key, now: now)?.value }
    }

    /// Stores a value.
    public func insert(_ fresh: Fresh, for key: Key) {
        let entry = entry(fresh, for: key)
        _ = state.withLock { $0.entries.insert(entry) }
    }

    /// Stores the values that `read` returns, unless something was dropped meanwhile.
    ///
    /// - Returns: How many are stored.
    /// - Throws: What `read` throws.
    @discardableResult
    public func fill(_ read: () async throws -> [(key: Key, fresh: Fresh)]) async throws -> Int {
        let drops = state.withLock { $0.drops }
        let entries = try await read().map { entry($0.fresh, for: $0.key) }
        return state.withLock { $0.insert(entries, since: drops) } ? entries.count : 0
    }

    /// Whether anything is being computed.
    var isComputing: Bool { state.withLock { $0.isComputing } }

    /// Returns how many times each value was used since the last call.
    func takeUses() -> [(key: Key, uses: Int)] { state.withLock { $0.entries.takeUses() } }

    /// Drops the values whose keys match; those being computed now are not kept either.
    public func drop(where isDropped: (Key) -> Bool) { state.withLock { $0.drop(where: isDropped) } }

    /// Drops everything.
    public func dropAll() { drop { _ in true } }

    /// Removes the expired values among the `limit` least recently used; a limit of 0 or less removes none.
    public func sweep(among limit: Int = 10_000) {
        let now = now()
        state.withLock { $0.sweep(now: now, among: limit) }
    }

    /// The value of a key: from memory, or computed once, however many tasks ask.
    ///
    /// If `compute` throws, all tasks that wait for it get its error. If its task is cancelled, one of the waiting
    /// tasks computes instead.
    ///
    /// - Parameters:
    ///   - refresh: Called once for each value, on a hit when it will expire soon.
    ///   - compute: Computes the value.
    /// - Throws: What `compute` throws; `CancellationError`.
    public func value(
        for key: Key,
        refresh: () -> Void = {},
        compute: () async throws -> Fresh
    ) async throws -> Value {
        while true {
            let now = now()
            switch state.withLock({ $0.begin(key, now: now) }) {
            case .hit(let value, let wantsRefresh):
                if wantsRefresh { refresh() }
                return value
            case .lead(let flight): return try await lead(flight, key, compute)
            case .join(let flight):
                switch try await wait(for: flight) {
                case .value(let value): return value
                case .lead: return try await lead(flight, key, compute)
                case .again: continue
                }
            }
        }
    }

    /// Recomputes a value while the old one is still served, unless a task is already computing it.
    ///
    /// - Returns: Whether it was computed.
    /// - Throws: What `compute` throws; the old value stays then.
    @discardableResult
    public func refresh(_ key: Key, compute: () async throws -> Fresh) async throws -> Bool {
        guard let flight = state.withLock({ $0.beginRefresh(key) }) else { return false }
        _ = try await lead(flight, key, compute)
        return true
    }

    private func lead(_ flight: State.FlightID, _ key: Key, _ compute: () async throws -> Fresh) async throws -> Value {
        do {
            let fresh = try await compute()
            let entry = fresh.lifetime > .zero ? entry(fresh, for: key) : nil
            for waiter in state.withLock({ $0.land(flight, entry) }) { waiter.resume(returning: .value(fresh.value)) }
            return fresh.value
        } catch  where error is CancellationError || Task.isCancelled {
            state.withLock { $0.handOver(flight) }?.resume(returning: .lead)
            throw error
        } catch {
            for waiter in state.withLock({ $0.land(flight, nil) }) { waiter.resume(throwing: error) }
            throw error
        }
    }

    private func wait(for flight: State.FlightID) async throws -> Outcome {
        let id = state.withLock { $0.newID() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let isWaiting = state.withLock { state -> Bool? in
                    // If the task was cancelled before it waits, the handler has already run and would not remove it.
                    Task.isCancelled ? nil : state.wait(for: flight, waiter, id: id)
                }
                switch isWaiting {
                case nil: waiter.resume(throwing: CancellationError())
                case .some(false): waiter.resume(returning: .again)
                case .some(true): break
                }
            }
        } onCancel: {
            state.withLock { $0.remove(waiter: id, from: flight) }?.resume(throwing: CancellationError())
        }
    }

    private func entry(_ fresh: Fresh, for key: Key) -> LRUEntries<Key, Value>.Entry {
        let now = now()
        let (cost, overflows) = max(0, fresh.cost).addingReportingOverflow(LRUEntries<Key, Value>.overhead)
        // Longer than any clock runs, yet short enough to be added to its time.
        let forever = Duration.seconds(Int64.max)
        return LRUEntries.Entry(
            key: key,
            value: fresh.value,
            cost: overflows ? .max : cost,
            expiresAt: now + min(fresh.lifetime, forever),
            refreshAt: fresh.refreshAfter.map { now + min($0, forever) }
        )
    }
}
