/// The decisions of a ``MemoryCache``: what is kept, and which task computes what is not.
///
/// A flight is one computation that one task leads and any number wait for. `Waiter` is what the caller resumes.
@usableFromInline
struct MemoryCacheState<Key: Hashable & Sendable, Value: Sendable, Waiter: Sendable>: Sendable {
    @usableFromInline typealias FlightID = UInt64

    /// What a task does next after looking a key up.
    @usableFromInline
    enum Step: Sendable {
        case hit(Value, wantsRefresh: Bool)
        /// Compute the value.
        case lead(FlightID)
        /// Wait for the task that computes it.
        case join(FlightID)
    }

    private struct Flight: Sendable {
        let key: Key
        var waiters: [(id: UInt64, waiter: Waiter)] = []
    }

    @usableFromInline var entries: LRUEntries<Key, Value>
    @usableFromInline var hits = 0
    private var misses = 0
    private var joined = 0
    private var dropped = 0
    @usableFromInline var expired = 0
    private var flights: [FlightID: Flight] = [:]
    /// The flight of a key that later lookups may join.
    private var current: [Key: FlightID] = [:]
    private var lastID: UInt64 = 0
    /// How many times something was dropped.
    private(set) var drops = 0

    init(byteLimit: Int) { entries = LRUEntries(byteLimit: byteLimit) }

    /// The figures so far.
    var statistics: CacheStatistics {
        CacheStatistics(
            hits: hits,
            misses: misses,
            joined: joined,
            evicted: entries.evicted,
            expired: expired,
            dropped: dropped,
            entries: entries.count,
            bytes: entries.bytes
        )
    }

    /// Whether anything is being computed.
    var isComputing: Bool { !flights.isEmpty }

    /// The value of a key, if it is here and has not expired.
    @inlinable
    mutating func use(_ key: Key, now: ContinuousClock.Instant) -> (value: Value, wantsRefresh: Bool)? {
        switch entries.use(key, now: now) {
        case .value(let value, let wantsRefresh):
            hits &+= 1
            return (value, wantsRefresh)
        case .expired: expired &+= 1
        case .nothing: break
        }
        return nil
    }

    /// Looks a key up; the first task that finds nothing leads.
    mutating func begin(_ key: Key, now: ContinuousClock.Instant) -> Step {
        if let found = use(key, now: now) { return .hit(found.value, wantsRefresh: found.wantsRefresh) }
        if let flight = current[key] { return .join(flight) }
        misses += 1
        return .lead(takeOff(key))
    }

    /// Begins to recompute the value of a key, unless a task is already computing it.
    mutating func beginRefresh(_ key: Key) -> FlightID? { current[key] == nil ? takeOff(key) : nil }

    private mutating func takeOff(_ key: Key) -> FlightID {
        let id = newID()
        flights[id] = Flight(key: key)
        current[key] = id
        return id
    }

    /// A new number for a waiter or a flight.
    mutating func newID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// Lets a task wait for a flight.
    ///
    /// - Returns: `false` if the flight is over: look the key up again.
    mutating func wait(for flight: FlightID, _ waiter: Waiter, id: UInt64) -> Bool {
        guard flights[flight] != nil else { return false }
        flights[flight]?.waiters.append((id, waiter))
        joined += 1
        return true
    }

    /// Removes the waiter of a task that was cancelled.
    mutating func remove(waiter id: UInt64, from flight: FlightID) -> Waiter? {
        guard let place = flights[flight]?.waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return flights[flight]?.waiters.remove(at: place).waiter
    }

    /// Ends a flight.
    ///
    /// - Parameter entry: The value to keep; `nil` keeps nothing. Nor is it kept if its key was dropped meanwhile.
    /// - Returns: The tasks that wait for it.
    mutating func land(_ flight: FlightID, _ entry: LRUEntries<Key, Value>.Entry?) -> [Waiter] {
        guard let ended = flights.removeValue(forKey: flight) else { return [] }
        if current[ended.key] == flight {
            current[ended.key] = nil
            if let entry { entries.insert(entry) }
        }
        return ended.waiters.map(\.waiter)
    }

    /// Gives up a flight whose leader was cancelled: the first waiter leads now; if nobody waits, the flight is over.
    mutating func handOver(_ flight: FlightID) -> Waiter? {
        guard let given = flights[flight] else { return nil }
        if !given.waiters.isEmpty { return flights[flight]?.waiters.removeFirst().waiter }
        flights[flight] = nil
        if current[given.key] == flight { current[given.key] = nil }
        return nil
    }

    /// Drops the entries whose keys match. Values being computed for such keys reach only the tasks that already wait.
    mutating func drop(where isDropped: (Key) -> Bool) {
        drops += 1
        dropped += entries.remove(where: isDropped)
        for key in current.keys.filter(isDropped) { current[key] = nil }
    }

    /// Stores entries that were read elsewhere, unless something was dropped since: they may be stale too.
    ///
    /// - Returns: Whether they are stored.
    mutating func insert(_ read: [LRUEntries<Key, Value>.Entry], since drops: Int) -> Bool {
        guard drops == self.drops else { return false }
        for entry in read { entries.insert(entry) }
        return true
    }

    /// Removes the expired entries among the `limit` least recently used.
    mutating func sweep(now: ContinuousClock.Instant, among limit: Int) {
        expired += entries.removeExpired(now: now, among: limit)
    }
}
