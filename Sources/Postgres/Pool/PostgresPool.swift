package import Logging

internal import Metrics
internal import Synchronization

/// A bounded set of connections that tasks share.
///
/// Tasks that find none free wait in the order in which they came. A connection that broke is replaced, never handed
/// out. Metrics for swift-metrics: `recorder_pool_connections`, `recorder_pool_waiters` (gauges),
/// `recorder_pool_wait_seconds` (timer), `recorder_pool_timeouts` (counter).
package final class PostgresPool: Sendable {
    /// The bounds of a pool.
    package struct Limits: Sendable {
        /// The most connections at a time; at least 1, and fewer count as 1.
        package var size: Int {
            didSet { size = max(1, size) }
        }
        /// How long a task waits for a connection.
        package var acquireTimeout: Duration
        /// How long a connection may idle before it is closed.
        package var idleTimeout: Duration
        /// How old a connection may become before it is replaced.
        package var lifetime: Duration

        package init(
            size: Int = 8,
            acquireTimeout: Duration = .seconds(10),
            idleTimeout: Duration = .seconds(600),
            lifetime: Duration = .seconds(3600)
        ) {
            self.size = max(1, size)
            self.acquireTimeout = acquireTimeout
            self.idleTimeout = idleTimeout
            self.lifetime = lifetime
        }
    }

    /// What a waiting task is given.
    private enum Outcome: Sendable {
        case connection(PostgresConnection, opened: ContinuousClock.Instant)
        case replace(PostgresConnection)
        case open
    }
    private typealias Waiter = CheckedContinuation<Outcome, any Error>
    private typealias Handover = PoolState<PostgresConnection, Waiter>.Handover

    /// How the connections are made.
    package let configuration: PostgresConfiguration
    private let limits: Limits
    private let logger: Logger
    private let state: Mutex<PoolState<PostgresConnection, Waiter>>
    private let janitor = Mutex<Task<Void, Never>?>(nil)
    private let connections = Gauge(label: "recorder_pool_connections")
    private let waiters = Gauge(label: "recorder_pool_waiters")
    private let waits = Metrics.Timer(label: "recorder_pool_wait_seconds")
    private let timeouts = Counter(label: "recorder_pool_timeouts")

    /// Creates a pool; connections are opened when they are needed.
    package init(
        _ configuration: PostgresConfiguration,
        limits: Limits = Limits(),
        logger: Logger = Logger(label: "recorder.postgres")
    ) {
        self.configuration = configuration
        self.limits = limits
        self.logger = logger
        state = Mutex(PoolState(limits: limits))
        let period = min(.seconds(1), max(.milliseconds(10), limits.acquireTimeout / 10))
        janitor.withLock {
            $0 = Task { [weak self] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: period)
                    guard let self else { return }
                    await self.sweep()
                }
            }
        }
    }

    deinit { janitor.withLock { $0?.cancel() } }

    /// How many connections are open, how many of them are in use, and how many tasks wait.
    package var figures: (open: Int, inUse: Int, waiting: Int) {
        state.withLock { ($0.size, $0.inUse, $0.waiterCount) }
    }

    /// Closes idle connections now, and those in use when they come back; waiting tasks fail with `.closed`.
    package func close() async {
        janitor.withLock { $0?.cancel() }
        let (waiters, connections) = state.withLock { $0.close() }
        for waiter in waiters { waiter.resume(throwing: Self.closed) }
        for connection in connections { await connection.close() }
    }

    private static let closed = PostgresError(.closed, "the pool of connections is closed")

    // MARK: Using connections

    /// Lends a connection to `body`.
    ///
    /// A connection that `body` leaves inside a transaction is closed, not handed on.
    ///
    /// - Throws: What `body` throws; ``PostgresError`` with `.timedOut` if none became free, `.connectionFailed` if
    ///   none could be opened, `.closed`; `CancellationError`.
    package func withConnection<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let (connection, opened) = try await acquire()
        do {
            let result = try await body(connection)
            await giveBack(connection, opened: opened)
            return result
        } catch {
            await giveBack(connection, opened: opened)
            throw error
        }
    }

    /// Runs `body` in a transaction on a connection of the pool; see
    /// ``PostgresConnection/transaction(isolation:readOnly:beginsLate:retries:_:)``.
    package func transaction<R: Sendable>(
        isolation: PostgresIsolation = .readCommitted,
        readOnly: Bool = false,
        retries: Int = 0,
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        try await withConnection { connection in
            try await connection.transaction(isolation: isolation, readOnly: readOnly, retries: retries, body)
        }
    }

    /// Runs a statement on a connection of the pool and decodes its rows.
    package func query<S: PostgresStatement>(_ statement: S) async throws -> [S.Row] {
        try await withConnection { connection in try await connection.query(statement) }
    }

    /// Runs a statement on a connection of the pool and decodes its first row.
    package func first<S: PostgresStatement>(_ statement: S) async throws -> S.Row? {
        try await withConnection { connection in try await connection.first(statement) }
    }

    /// Runs a statement on a connection of the pool; returns how many rows it touched.
    @discardableResult
    package func execute(_ statement: some PostgresStatement) async throws -> Int {
        try await withConnection { connection in try await connection.execute(statement) }
    }

    // MARK: Taking and giving back

    private func acquire() async throws -> (PostgresConnection, opened: ContinuousClock.Instant) {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        defer { waits.record(duration: start.duration(to: .now)) }
        switch state.withLock({ $0.acquire(now: .now) }) {
        case .closed: throw Self.closed
        case .open: return try await open()
        case .use(let connection, let opened): return try await check(connection, opened: opened)
        case .replace(let connection): return try await replace(connection)
        case .wait:
            switch try await waitForTurn() {
            case .open: return try await open()
            case .replace(let connection): return try await replace(connection)
            case .connection(let connection, let opened): return try await check(connection, opened: opened)
            }
        }
    }

    private func check(
        _ connection: PostgresConnection,
        opened: ContinuousClock.Instant
    ) async throws -> (PostgresConnection, opened: ContinuousClock.Instant) {
        connection.looksAlive ? (connection, opened) : try await replace(connection)
    }

    private func replace(
        _ connection: PostgresConnection
    ) async throws -> (PostgresConnection, opened: ContinuousClock.Instant) {
        await connection.close()
        return try await open()
    }

    /// Opens a connection in the place that was reserved for it.
    private func open() async throws -> (PostgresConnection, opened: ContinuousClock.Instant) {
        do {
            return (try await PostgresConnection.connect(configuration, logger: logger), .now)
        } catch {
            await carryOut(state.withLock { $0.lose() })
            throw error
        }
    }

    private func waitForTurn() async throws -> Outcome {
        let id = state.withLock { $0.newID() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let handover = state.withLock { state -> Handover? in
                    // If the task was cancelled before it entered the queue, nothing would take it out again.
                    if Task.isCancelled { return nil }
                    return state.enqueue(waiter, id: id, now: .now)
                }
                guard let handover else { return waiter.resume(throwing: CancellationError()) }
                // There is a waiter, so no connection is left over.
                _ = Self.deliver(handover)
            }
        } onCancel: {
            state.withLock { $0.remove(id: id) }?.resume(throwing: CancellationError())
        }
    }

    private func giveBack(_ connection: PostgresConnection, opened: ContinuousClock.Instant) async {
        if connection.isOpen && !connection.isIdle { await connection.close() }
        let isWhole = connection.isOpen
        await carryOut(
            state.withLock { state in
                isWhole ? state.release(connection, opened: opened, now: .now) : state.lose()
            }
        )
    }

    private func carryOut(_ handover: Handover) async { await Self.deliver(handover)?.close() }

    /// Gives a waiter what it is to have, if there is one.
    ///
    /// - Returns: The connection, if it is to be closed.
    private static func deliver(_ handover: Handover) -> PostgresConnection? {
        switch handover {
        case .wake(let waiter, let connection, let opened):
            waiter.resume(returning: .connection(connection, opened: opened))
        case .wakeToOpen(let waiter): waiter.resume(returning: .open)
        case .wakeToReplace(let waiter, let connection): waiter.resume(returning: .replace(connection))
        case .refuse(let waiter): waiter.resume(throwing: closed)
        case .close(let connection): return connection
        case .keep: break
        }
        return nil
    }

    private func sweep() async {
        let (late, stale) = state.withLock { $0.sweep(now: .now) }
        for waiter in late {
            timeouts.increment()
            waiter.resume(
                throwing: PostgresError(
                    .timedOut,
                    "no connection became free within \(limits.acquireTimeout): all \(limits.size) are in use"
                )
            )
        }
        for connection in stale { await connection.close() }
        let figures = figures
        connections.record(figures.open)
        waiters.record(figures.waiting)
    }
}
