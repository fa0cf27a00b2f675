/// Entries in the order of their last use, within a bound of bytes: no clock, no lock.
///
/// The order is a linked list inside an array, so that using an entry allocates nothing.
@usableFromInline
struct LRUEntries<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// A value with its key, cost and times.
    @usableFromInline
    struct Entry: Sendable {
        @usableFromInline let key: Key
        @usableFromInline let value: Value
        /// Bytes, including the entry's own overhead.
        @usableFromInline let cost: Int
        @usableFromInline let expiresAt: ContinuousClock.Instant
        /// The time from which a hit asks for a new value; `nil` for never, and once one has asked.
        @usableFromInline var refreshAt: ContinuousClock.Instant?
        /// How many times it was used since ``LRUEntries/takeUses()`` was last called.
        @usableFromInline var uses = 0

        @usableFromInline
        init(
            key: Key,
            value: Value,
            cost: Int,
            expiresAt: ContinuousClock.Instant,
            refreshAt: ContinuousClock.Instant?
        ) {
            self.key = key
            self.value = value
            self.cost = cost
            self.expiresAt = expiresAt
            self.refreshAt = refreshAt
        }
    }

    /// A place for an entry, in the list of entries or in the list of free places.
    @usableFromInline
    struct Slot: Sendable {
        @usableFromInline var entry: Entry?
        @usableFromInline var newer: Int
        @usableFromInline var older: Int

        @usableFromInline
        init(entry: Entry?, newer: Int, older: Int) {
            self.entry = entry
            self.newer = newer
            self.older = older
        }
    }

    @usableFromInline let byteLimit: Int
    @usableFromInline var slots: ContiguousArray<Slot> = []
    @usableFromInline var places: [Key: Int] = [:]
    @usableFromInline var newest = -1
    @usableFromInline var oldest = -1
    private var firstFree = -1
    /// The sum of the costs.
    @usableFromInline private(set) var bytes = 0
    /// How many entries were evicted to make room.
    @usableFromInline private(set) var evicted = 0

    /// What an entry takes in addition to its value's cost: its slot, and its share of the dictionary at the usual
    /// load.
    static var overhead: Int { MemoryLayout<Slot>.stride + 2 * (MemoryLayout<Key>.stride + MemoryLayout<Int>.stride) }

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// How many entries there are.
    var count: Int { places.count }

    /// The result of looking a key up.
    @usableFromInline
    enum Finding {
        case value(Value, wantsRefresh: Bool)
        case expired
        case nothing
    }

    /// Returns a key's value and makes it the newest; removes it if it has expired.
    @inlinable
    mutating func use(_ key: Key, now: ContinuousClock.Instant) -> Finding {
        guard let place = places[key], let entry = slots[place].entry else { return .nothing }
        guard now < entry.expiresAt else {
            remove(key)
            return .expired
        }
        if place != newest {
            unlink(place)
            link(place)
        }
        slots[place].entry?.uses &+= 1
        guard let refreshAt = entry.refreshAt, now >= refreshAt else { return .value(entry.value, wantsRefresh: false) }
        slots[place].entry?.refreshAt = nil
        return .value(entry.value, wantsRefresh: true)
    }

    /// Stores an entry, replacing an older one of its key and evicting the least recently used ones to make room.
    ///
    /// - Returns: `false` if it is larger than the byte limit; then nothing is kept for its key.
    @usableFromInline
    @discardableResult
    mutating func insert(_ entry: Entry) -> Bool {
        remove(entry.key)
        guard entry.cost <= byteLimit, entry.cost < .max else { return false }
        while bytes > byteLimit - entry.cost, oldest >= 0, let last = slots[oldest].entry {
            remove(last.key)
            evicted += 1
        }
        let place: Int
        if firstFree >= 0 {
            place = firstFree
            firstFree = slots[place].older
            slots[place].entry = entry
        } else {
            place = slots.count
            slots.append(Slot(entry: entry, newer: -1, older: -1))
        }
        places[entry.key] = place
        bytes += entry.cost
        link(place)
        return true
    }

    /// Removes a key's entry, if there is one.
    @usableFromInline
    @discardableResult
    mutating func remove(_ key: Key) -> Bool {
        guard let place = places.removeValue(forKey: key) else { return false }
        unlink(place)
        bytes -= slots[place].entry?.cost ?? 0
        slots[place] = Slot(entry: nil, newer: -1, older: firstFree)
        firstFree = place
        return true
    }

    /// Removes the entries whose keys match.
    ///
    /// - Returns: How many.
    @discardableResult
    mutating func remove(where isRemoved: (Key) -> Bool) -> Int {
        let keys = places.keys.filter(isRemoved)
        for key in keys { remove(key) }
        return keys.count
    }

    /// Returns how many times each entry was used since the last call; unused entries are left out.
    mutating func takeUses() -> [(key: Key, uses: Int)] {
        var taken: [(key: Key, uses: Int)] = []
        for place in slots.indices {
            guard let entry = slots[place].entry, entry.uses > 0 else { continue }
            taken.append((entry.key, entry.uses))
            slots[place].entry?.uses = 0
        }
        return taken
    }

    /// Removes the expired entries among the `limit` least recently used.
    ///
    /// - Returns: How many.
    mutating func removeExpired(now: ContinuousClock.Instant, among limit: Int) -> Int {
        var (place, removed) = (oldest, 0)
        for _ in 0..<max(0, limit) {
            guard place >= 0, let entry = slots[place].entry else { break }
            let next = slots[place].newer
            if now >= entry.expiresAt {
                remove(entry.key)
                removed += 1
            }
            place = next
        }
        return removed
    }

    @inlinable
    mutating func link(_ place: Int) {
        slots[place].newer = -1
        slots[place].older = newest
        if newest >= 0 { slots[newest].newer = place } else { oldest = place }
        newest = place
    }

    @inlinable
    mutating func unlink(_ place: Int) {
        let (newer, older) = (slots[place].newer, slots[place].older)
        if newer >= 0 { slots[newer].older = older } else { newest = older }
        if older >= 0 { slots[older].newer = newer } else { oldest = newer }
    }
}
