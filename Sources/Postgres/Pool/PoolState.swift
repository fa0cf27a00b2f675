/// The decisions of a pool, without carrying them out.
///
/// Generic over the connection and over what wakes a waiter, so that tests need no server.
struct PoolState<Connection, Waiter> {
    /// A connection that is not in use, and since when.
    private struct Idle {
        let connection: Connection
        let opened: ContinuousClock.Instant
        let since: ContinuousClock.Instant
    }

    /// A task that waits for a connection.
    private struct Waiting {
        let id: UInt64
        let waiter: Waiter
        let deadline: ContinuousClock.Instant
    }

    /// What a task that wants a connection must do.
    enum Acquisition {
        /// Use this one.
        case use(Connection, opened: ContinuousClock.Instant)
        /// Close this one, which is too old, and open a new one in its place.
        case replace(Connection)
        /// Open a new one: a place is reserved for it.
        case open
        /// Wait.
        case wait
        /// Give up: the pool is closed.
        case closed
    }

    /// What to do with a connection that came back, or with a place that became free.
    enum Handover {
        case wake(Waiter, with: Connection, opened: ContinuousClock.Instant)
        case wakeToOpen(Waiter)
        /// Close the connection, which is too old, then wake the waiter to open a new one in its place.
        case wakeToReplace(Waiter, Connection)
        /// Tell the waiter that the pool is closed.
        case refuse(Waiter)
        case close(Connection)
        case keep
    }

    private let limits: PostgresPool.Limits
    private var idle: [Idle] = []
    private var waiting: [Waiting] = []
    private var taken = 0
    private var lastID: UInt64 = 0
    private(set) var isClosed = false

    init(limits: PostgresPool.Limits) { self.limits = limits }

    /// How many connections are open or being opened.
    var size: Int { taken + idle.count }
    /// How many connections are in use.
    var inUse: Int { taken }
    /// How many tasks wait.
    var waiterCount: Int { waiting.count }

    /// Takes a connection for a task, which must wait if others wait already.
    mutating func acquire(now: ContinuousClock.Instant) -> Acquisition {
        if isClosed { return .closed }
        guard waiting.isEmpty else { return .wait }
        if let last = idle.popLast() {
            taken += 1
            if isTooOld(last.opened, now: now) { return .replace(last.connection) }
            return .use(last.connection, opened: last.opened)
        }
        guard size < limits.size else { return .wait }
        taken += 1
        return .open
    }

    /// Makes an id for a task that may wait.
    mutating func newID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// Puts a task at the end of the queue, unless a connection became free meanwhile.
    mutating func enqueue(_ waiter: Waiter, id: UInt64, now: ContinuousClock.Instant) -> Handover {
        if isClosed { return .refuse(waiter) }
        waiting.append(Waiting(id: id, waiter: waiter, deadline: now + limits.acquireTimeout))
        if let last = idle.popLast() {
            taken += 1
            return handOver(last.connection, opened: last.opened, now: now)
        }
        guard size < limits.size else { return .keep }
        taken += 1
        return freePlace()
    }

    /// Takes a task out of the queue; `nil` if it was served already.
    mutating func remove(id: UInt64) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        return waiting.remove(at: index).waiter
    }

    /// Takes back a connection that is in order.
    mutating func release(
        _ connection: Connection,
        opened: ContinuousClock.Instant,
        now: ContinuousClock.Instant
    ) -> Handover {
        if isClosed {
            taken -= 1
            return .close(connection)
        }
        return handOver(connection, opened: opened, now: now)
    }

    private mutating func handOver(
        _ connection: Connection,
        opened: ContinuousClock.Instant,
        now: ContinuousClock.Instant
    ) -> Handover {
        let isTooOld = isTooOld(opened, now: now)
        if !waiting.isEmpty {
            let waiter = waiting.removeFirst().waiter
            return isTooOld ? .wakeToReplace(waiter, connection) : .wake(waiter, with: connection, opened: opened)
        }
        taken -= 1
        if isTooOld { return .close(connection) }
        idle.append(Idle(connection: connection, opened: opened, since: now))
        return .keep
    }

    private func isTooOld(_ opened: ContinuousClock.Instant, now: ContinuousClock.Instant) -> Bool {
        opened + limits.lifetime <= now
    }

    /// Frees the place of a connection that broke or could not be opened.
    mutating func lose() -> Handover { freePlace() }

    private mutating func freePlace() -> Handover {
        guard !waiting.isEmpty, !isClosed else {
            taken -= 1
            return .keep
        }
        return .wakeToOpen(waiting.removeFirst().waiter)
    }

    /// Removes the tasks that waited too long, and the connections that idled too long or are too old.
    mutating func sweep(now: ContinuousClock.Instant) -> (late: [Waiter], stale: [Connection]) {
        let late = waiting.filter { $0.deadline <= now }.map(\.waiter)
        waiting.removeAll { $0.deadline <= now }
        let staysOpen = idle.map { entry in
            entry.since + limits.idleTimeout > now && !isTooOld(entry.opened, now: now)
        }
        let stale = zip(idle, staysOpen).filter { !$0.1 }.map(\.0.connection)
        idle = zip(idle, staysOpen).filter(\.1).map(\.0)
        return (late, stale)
    }

    /// Closes the pool, so that no connection is handed out any more.
    mutating func close() -> (waiters: [Waiter], connections: [Connection]) {
        isClosed = true
        defer {
            waiting = []
            idle = []
        }
        return (waiting.map(\.waiter), idle.map(\.connection))
    }
}
