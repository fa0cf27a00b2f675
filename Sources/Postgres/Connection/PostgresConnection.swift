package import Logging

internal import Synchronization

/// One session with the server: an actor on a thread of its own.
///
/// Inside a closure that takes an `isolated PostgresConnection`, calls run on that thread one after another without
/// changing threads. Cancelling the calling task cancels the statement at the server; afterwards the connection is
/// usable, or closed if the server did not answer in time.
package actor PostgresConnection {
    var configuration: PostgresConfiguration
    let logger: Logger
    private let thread: ConnectionThread
    private nonisolated let interrupt: InterruptSignal
    private nonisolated let health = Health()
    private var libpq: LibpqConnection?
    /// Whether the transaction that was begun last was committed together with its last statements.
    var hasCommitted = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    private init(_ configuration: PostgresConfiguration, logger: Logger) throws(PostgresError) {
        self.configuration = configuration
        self.logger = logger
        interrupt = try InterruptSignal()
        thread = try ConnectionThread()
    }

    deinit { thread.stop() }

    /// Opens a connection.
    ///
    /// - Throws: ``PostgresError`` with `.connectionFailed` or `.timedOut`; `CancellationError`.
    package static func connect(
        _ configuration: PostgresConfiguration,
        logger: Logger = Logger(label: "recorder.postgres")
    ) async throws -> PostgresConnection {
        let connection = try PostgresConnection(configuration, logger: logger)
        try await connection.open()
        return connection
    }

    private func open() async throws {
        let interrupt = interrupt
        try Task.checkCancellation()
        libpq = try await withTaskCancellationHandler {
            do {
                return try openLibpq()
            } catch {
                if interrupt.isRaised { throw CancellationError() }
                throw error
            }
        } onCancel: {
            interrupt.raise()
        }
        interrupt.clear()
        publishHealth()
    }

    /// Blocks the connection's thread. It is a method because a closure outside the actor would run on the shared pool.
    private func openLibpq() throws -> LibpqConnection {
        let libpq = try LibpqConnection.connect(configuration, interrupt: interrupt, logger: logger)
        // A pooler may have no session to lend for a while.
        var patient = configuration
        patient.answerTimeout = configuration.connectTimeout
        var exchange = PostgresExchange(libpq, patient, isBounded: false)
        try exchange.setUp(configuration.sessionSettings)
        return libpq
    }

    /// Ends the session. Calls after this throw `.closed`.
    package func close() {
        libpq = nil
        publishHealth()
    }

    // MARK: State

    /// The part of the connection's state that other threads may read.
    private final class Health: Sendable {
        let socket = Atomic<Int32>(-1)
        let isIdle = Atomic(true)
    }

    private func publishHealth() {
        let isOpen = libpq?.isOpen == true
        health.socket.store(isOpen ? (libpq?.socket ?? -1) : -1, ordering: .releasing)
        health.isIdle.store(libpq?.isIdle ?? true, ordering: .releasing)
    }

    /// Whether the connection is open and, as far as can be seen without asking the server, still alive.
    ///
    /// If an idle connection's socket is readable, the server has closed it or announced that it will.
    package nonisolated var looksAlive: Bool {
        let socket = health.socket.load(ordering: .acquiring)
        return socket >= 0 && !isReadable(socket)
    }

    /// Whether the connection is open.
    package nonisolated var isOpen: Bool { health.socket.load(ordering: .acquiring) >= 0 }

    /// Whether no transaction is open.
    package nonisolated var isIdle: Bool { health.isIdle.load(ordering: .acquiring) }

    /// The process id of this session at the server.
    ///
    /// - Throws: ``PostgresError`` with `.closed`.
    package func backendPID() throws -> Int32 { try open(libpq).backendPID }

    /// The server's version, such as 150018.
    ///
    /// - Throws: ``PostgresError`` with `.closed`.
    package func serverVersion() throws -> Int { try open(libpq).serverVersion }

    private func open(_ libpq: LibpqConnection?) throws(PostgresError) -> LibpqConnection {
        guard let libpq else { throw PostgresError(.closed, "the connection is closed") }
        return libpq
    }

    /// Makes the next exchange begin a transaction first.
    func beginLate(_ begin: String) throws(PostgresError) { try open(libpq).deferredBegin = begin }

    /// Forgets a BEGIN that was not sent yet.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    func forgetBegin() -> Bool {
        defer { libpq?.deferredBegin = nil }
        return libpq?.deferredBegin != nil
    }

    // MARK: Statements

    /// Runs a statement and decodes its rows.
    ///
    /// - Throws: ``PostgresError``; `CancellationError` if the task was cancelled before the server was done.
    package func query<S: PostgresStatement>(_ statement: S) async throws -> [S.Row] {
        try await perform { exchange in try exchange.run(statement).rows(statement) }
    }

    /// Runs a statement and decodes its first row, if there is one.
    package func first<S: PostgresStatement>(_ statement: S) async throws -> S.Row? {
        try await perform { exchange in try exchange.run(statement).firstRow(statement) }
    }

    /// Runs a statement.
    ///
    /// - Returns: How many rows it touched.
    @discardableResult
    package func execute(_ statement: some PostgresStatement) async throws -> Int {
        try await perform { exchange in try exchange.run(statement).affectedRows }
    }

    /// Runs a script of any number of statements, without parameters, in the simple protocol.
    ///
    /// - Parameters:
    ///   - script: Sent as it is; never build it from input.
    ///   - isAlone: Whether it is a single statement that cannot run in a transaction, such as VACUUM; its names need
    ///     their schema.
    package func run(unsafeSQL script: String, isAlone: Bool = false) async throws {
        _ = try await perform { exchange in try exchange.run(script: script, isAlone: isAlone) }
    }

    /// Runs a script and returns the rows of its last result as text; `nil` is NULL.
    ///
    /// - Parameter unsafeSQL: Sent as it is; never build it from input.
    package func text(unsafeSQL script: String) async throws -> [[String?]] {
        try await perform { exchange in try exchange.run(script: script).last?.texts() ?? [] }
    }

    /// Where the transactions of pipelined statements end.
    package enum PipelineSync: Sendable {
        /// After the last: outside a transaction block, all statements are one transaction.
        case once
        /// After each: outside a transaction block, each statement is a transaction of its own.
        case each
    }

    /// Sends several statements in one go and decodes the rows of each.
    ///
    /// - Throws: The first failure; with ``PipelineSync/once`` nothing of the pipeline took effect then.
    package func pipeline<each S: PostgresStatement>(
        _ statements: repeat each S,
        sync: PipelineSync = .once
    ) async throws -> sending (repeat [(each S).Row]) {
        // Everything is encoded before anything is sent: a value that cannot be encoded must not leave half a pipeline.
        var bound: [BoundStatement] = []
        repeat bound.append(try BoundStatement(each statements))
        return try await perform { exchange in
            var results = try exchange.pipeline(bound, sync: sync)[...]
            return (repeat try results.removeFirst().rows(each statements))
        }
    }

    /// Sends several statements in one go.
    ///
    /// - Returns: How many rows each touched.
    @discardableResult
    package func pipeline(
        _ statements: [any PostgresStatement],
        sync: PipelineSync = .once
    ) async throws -> [Int] {
        let bound = try statements.map { statement throws(PostgresError) in try BoundStatement(statement) }
        return try await perform { exchange in try exchange.pipeline(bound, sync: sync).map(\.affectedRows) }
    }

    /// Sends statements of one kind in one go and decodes the rows of each.
    ///
    /// - Throws: The first failure; nothing of the pipeline took effect then.
    package func pipeline<S: PostgresStatement>(each statements: [S]) async throws -> [[S.Row]] {
        let bound = try statements.map { statement throws(PostgresError) in try BoundStatement(statement) }
        return try await perform { exchange in
            try zip(exchange.pipeline(bound, sync: .once), statements).map { try $0.rows($1) }
        }
    }

    // MARK: COPY

    /// Stores rows by `COPY … FROM STDIN (FORMAT binary)`.
    ///
    /// - Parameters:
    ///   - target: The table and its columns, such as `events (stream_id, version)`; SQL, never built from input.
    ///   - body: Writes the rows; if it throws, nothing is stored.
    /// - Returns: How many rows were stored.
    @discardableResult
    package func copyIn(
        unsafeSQL target: String,
        _ body: @Sendable (inout PostgresCopyWriter) throws -> Void
    ) async throws -> Int {
        try await perform { exchange in
            try exchange.copyIn("copy \(target) from stdin (format binary)", body)
        }
    }

    /// Reads rows by `COPY … TO STDOUT (FORMAT binary)`.
    ///
    /// - Parameters:
    ///   - source: A table with its columns, or a query in parentheses; SQL, never built from input.
    ///   - body: Called with each row; if it throws, the copy is cancelled.
    package func copyOut(
        unsafeSQL source: String,
        _ body: @Sendable (borrowing PostgresCopyRow) throws -> Void
    ) async throws {
        try await perform { exchange in
            try exchange.copyOut("copy \(source) to stdout (format binary)", body)
        }
    }

    // MARK: Notifications

    /// Waits for the next notification of the channels that this session listens to.
    ///
    /// - Parameter timeout: How long to wait.
    /// - Returns: The notification, or `nil` if none came in time.
    func nextNotification(within timeout: Duration?) async throws -> (channel: String, payload: String)? {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        return try await perform { exchange in try exchange.nextNotification(until: deadline) }
    }

    // MARK: Carrying out

    /// Runs one exchange with the server, under the calling task's cancellation.
    ///
    /// - Parameter heedsCancellation: `false` for what must run even in a cancelled task, such as ROLLBACK; the server
    ///   then has as long to answer as for a cancelled statement.
    func perform<R>(
        heedsCancellation: Bool = true,
        _ body: (inout PostgresExchange) throws -> R
    ) async throws -> R {
        let libpq = try open(libpq)
        guard heedsCancellation else { return try exchange(libpq, isBounded: true, body) }
        try Task.checkCancellation()
        let interrupt = interrupt
        defer { interrupt.clear() }
        return try await withTaskCancellationHandler {
            try exchange(libpq, isBounded: false, body)
        } onCancel: {
            interrupt.raise()
        }
    }

    /// Runs an exchange; afterwards the connection is at rest, or closed.
    private func exchange<R>(
        _ libpq: LibpqConnection,
        isBounded: Bool,
        _ body: (inout PostgresExchange) throws -> R
    ) throws -> R {
        var exchange = PostgresExchange(libpq, configuration, isBounded: isBounded)
        defer {
            if exchange.isBroken || !libpq.isOpen || !libpq.isAtRest { self.libpq = nil }
            publishHealth()
        }
        return try body(&exchange)
    }
}
