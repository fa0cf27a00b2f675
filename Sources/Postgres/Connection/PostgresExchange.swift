internal import CLibpq

/// One exchange with the server: sends something, and reads every result until the connection is at rest again.
///
/// Runs on the connection's thread and blocks only it. If the task is cancelled, it asks the server to stop, and gives
/// up the connection if the server does not stop within the bound. It also gives up on a server that does not answer at
/// all, if the configuration sets a bound.
struct PostgresExchange {
    let libpq: LibpqConnection
    private let cancelTimeout: Duration
    let answerTimeout: Duration?
    /// When the server must have answered; `nil` for no bound except the task's cancellation.
    private var deadline: ContinuousClock.Instant?
    private var cancelRequest: CancelRequest?
    /// Whether the server was asked to stop; anything sent later would not be stopped.
    private var wasAskedToStop = false
    /// Whether the connection is no longer usable.
    var isBroken = false

    /// - Parameter isBounded: Whether the server has only as long to answer as for a cancelled statement; for what runs
    ///   even in a cancelled task.
    init(_ libpq: LibpqConnection, _ configuration: PostgresConfiguration, isBounded: Bool) {
        self.libpq = libpq
        cancelTimeout = configuration.cancelTimeout
        answerTimeout = isBounded ? nil : configuration.answerTimeout
        deadline = (isBounded ? cancelTimeout : answerTimeout).map { .now + $0 }
    }

    // MARK: Single statements

    /// Executes a statement, preparing it first if this session has not yet.
    ///
    /// If another session's DDL made its plan invalid, it is prepared and executed again, unless the failure has
    /// already ended an open transaction: then the error says so, and the next run prepares the statement again.
    ///
    /// - Parameter meanwhile: Called each time the statement is on its way, except in a lent session and where a
    ///   deferred BEGIN is sent before it.
    mutating func run(
        _ statement: some PostgresStatement,
        meanwhile: (borrowing PendingAnswer) -> Void = { _ in }
    ) throws -> StatementResult {
        let bound = try BoundStatement(statement)
        if libpq.deferredBegin != nil || libpq.lent != nil {
            guard let result = try pipeline([bound], sync: .once).first else {
                throw PostgresError(.misuse, "the server gave no result")
            }
            return result
        }
        do {
            return try execute(bound, meanwhile)
        } catch let error as PostgresError where error.isStalePlan {
            libpq.prepared.forget(bound.key)
            guard libpq.isIdle else { throw error }
            return try execute(bound, meanwhile)
        }
    }

    private mutating func execute(
        _ statement: BoundStatement,
        _ meanwhile: (borrowing PendingAnswer) -> Void
    ) throws -> StatementResult {
        let name: String
        if let known = libpq.prepared.name(of: statement.key) {
            name = known
        } else {
            name = libpq.prepared.newName()
            try libpq.sendPrepare(name: name, sql: statement.key.sql, types: statement.key.types)
            _ = try finish()
            libpq.prepared.remember(name, for: statement.key)
        }
        try heedCancellation()
        try libpq.sendExecute(name: name, parameters: statement.parameters)
        if try libpq.flush(until: deadline) == .ready { meanwhile(PendingAnswer(libpq, until: deadline)) }
        return try finish()
    }

    /// Runs a script and returns the result of each of its statements.
    ///
    /// - Parameter isAlone: Whether it is a statement that cannot run in a transaction.
    mutating func run(script: String, isAlone: Bool = false) throws -> [StatementResult] {
        let opening = isAlone ? [] : takeOpening()
        try libpq.send(script: (opening + [script]).joined(separator: "; "))
        return Array(try finishAll().dropFirst(opening.count))
    }

    // MARK: Transactions

    /// Takes what must be sent before anything else: the deferred BEGIN, and the settings for a transaction of a lent
    /// session.
    mutating func takeOpening() -> [String] {
        let begin = libpq.deferredBegin
        libpq.deferredBegin = nil
        return [begin, libpq.isIdle ? libpq.lent?.opening : nil].compactMap(\.self)
    }

    /// Sends the deferred BEGIN.
    mutating func begin() throws {
        let opening = takeOpening()
        guard !opening.isEmpty else { return }
        try libpq.send(script: opening.joined(separator: "; "))
        _ = try finishAll()
    }

    /// Gives the session its settings, for as long as it lasts; a lent session gets them with each transaction instead.
    ///
    /// A session is lent if the process id given at connecting is not the server's: a pooler invents it. Sent as
    /// `options`, the settings would replace those from the environment or a service file, and PgBouncer refuses
    /// `options`.
    mutating func setUp(_ settings: [String: String]) throws {
        let statement = LentSession.statement(settings, isLocal: false)
        let results = try run(script: "\(statement) where pg_backend_pid() = \(libpq.backendPID)")
        if results.last?.affectedRows == 0 { libpq.lent = LentSession(settings) }
    }

    /// Changes a setting for as long as the session lasts; in a lent session, from the next transaction on.
    mutating func set(_ name: String, to value: String) throws {
        libpq.lent?.set(name, to: value)
        guard libpq.lent == nil else { return }
        _ = try run(script: LentSession.statement([name: value], isLocal: false))
    }

    // MARK: Notifications

    /// Waits for a notification until the deadline; `nil` if none came.
    mutating func nextNotification(
        until deadline: ContinuousClock.Instant?
    ) throws -> (channel: String, payload: String)? {
        while true {
            try libpq.consume()
            if let notification = libpq.nextNotification() { return notification }
            switch try libpq.waitForInput(until: deadline) {
            case .ready: continue
            case .timedOut: return nil
            case .interrupted: throw CancellationError()
            }
        }
    }

    // MARK: Results

    /// Reads the results of one statement and returns the last.
    mutating func finish() throws -> StatementResult {
        guard let last = try finishAll().last else {
            throw PostgresError(.misuse, "the server gave no result")
        }
        return last
    }

    private mutating func finishAll() throws -> [StatementResult] {
        var results: [StatementResult] = []
        var failure: PostgresError?
        while let result = try awaitResult() {
            switch result.status {
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
                failure = failure ?? error(of: result)
                if isBroken, let failure { throw failure }
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                isBroken = true
                throw PostgresError(.misuse, "COPY needs copyIn or copyOut; the connection is closed")
            default: results.append(StatementResult(result))
            }
        }
        try settle(failure)
        return results
    }

    /// Waits for the next result; `nil` after the last of a statement.
    mutating func awaitResult() throws -> LibpqResult? {
        while true {
            switch try libpq.waitForResult(until: deadline) {
            case .ready: return libpq.nextResult()
            case let other: try heed(other)
            }
        }
    }

    /// Waits for anything from the server.
    mutating func awaitInput() throws { try heed(libpq.waitForInput(until: deadline)) }

    /// The failure that a result reports; after a fatal one the connection is broken.
    ///
    /// It also counts as broken if the server takes no writes: it was the primary and is now a standby, or should not
    /// have been connected to. Only a new connection can reach the primary.
    ///
    /// Source of the code: PostgreSQL manual, appendix A, "Error Codes": 25006 `read_only_sql_transaction`.
    mutating func error(of result: LibpqResult) -> PostgresError {
        let error = result.error()
        let reason: String
        if !libpq.isOpen || ["FATAL", "PANIC"].contains(result.severity) {
            reason = "the connection to the server broke"
        } else if error.sqlState == "25006", libpq.takesNoWrites {
            reason = "the server takes no writes now"
        } else {
            return error
        }
        isBroken = true
        var lost = PostgresError(.connectionLost, "\(reason): \(error.message)")
        lost.sqlState = error.sqlState
        return lost
    }

    // MARK: Cancelling

    /// Handles a wait that may have ended for another reason than the server's answer.
    private mutating func heed(_ readiness: LibpqConnection.Readiness) throws {
        switch readiness {
        case .ready: return
        case .interrupted: try requestCancel()
        case .timedOut:
            isBroken = true
            guard let answerTimeout, cancelRequest == nil else { throw CancellationError() }
            // If the server recovers, it need not go on with work that nobody waits for.
            _ = libpq.cancel()
            throw Self.silence(answerTimeout)
        }
    }

    /// Restarts the server's time limit, after it has taken or sent a part of something large.
    mutating func waitAnew() {
        guard let answerTimeout, cancelRequest == nil else { return }
        deadline = .now + answerTimeout
    }

    /// The error for a server that does not answer.
    static func silence(_ patience: Duration?) -> PostgresError {
        PostgresError(.connectionLost, "the server did not answer" + (patience.map { " within \($0)" } ?? ""))
    }

    /// Asks the server, once, to stop its work for this connection.
    mutating func requestCancel() throws {
        libpq.interrupt.clear()
        guard cancelRequest == nil else { return }
        guard let request = libpq.cancel() else {
            isBroken = true
            throw CancellationError()
        }
        cancelRequest = request
        wasAskedToStop = true
        deadline = .now + cancelTimeout
    }

    /// Throws between two steps of an exchange if it was cancelled before the second.
    func heedCancellation() throws {
        if wasAskedToStop || libpq.interrupt.isRaised { throw CancellationError() }
    }

    /// Ends an exchange whose results were all read, and throws its failure. Waits for a cancel request that is still
    /// on its way, so that it cannot hit the next statement.
    mutating func settle(_ failure: PostgresError?) throws {
        if let cancelRequest, let deadline, libpq.isOpen, !isBroken {
            self.cancelRequest = nil
            guard cancelRequest.waits(until: deadline) else {
                isBroken = true
                throw CancellationError()
            }
            // The server handles a late signal at the next statement, so send an empty one.
            try libpq.send(script: "")
            while try awaitResult() != nil {}
            if failure?.sqlState == "57014" { throw CancellationError() }
        }
        if let failure { throw failure }
    }
}
