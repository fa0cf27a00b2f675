internal import CLibpq

/// One exchange with the server: what is sent, and every result until the connection is at rest again.
///
/// Runs on the connection's thread and blocks only it. When the task is cancelled meanwhile, it asks the server to
/// stop, and gives up the connection if the server does not within the bound. So it does with a server that does not
/// answer at all, where the configuration bounds that.
struct PostgresExchange {
    let libpq: LibpqConnection
    private let cancelTimeout: Duration
    let answerTimeout: Duration?
    /// When the server's answer must be there; `nil` for no bound but the task's cancellation.
    private var deadline: ContinuousClock.Instant?
    private var cancelRequest: CancelRequest?
    /// Whether the server was asked to stop: what is sent after that would not hear of it any more.
    private var wasAskedToStop = false
    /// Whether the connection cannot be used any more.
    var isBroken = false

    /// - Parameter isBounded: Whether the server must answer within the time that a cancelled statement has: for what
    ///   runs even in a cancelled task.
    init(_ libpq: LibpqConnection, _ configuration: PostgresConfiguration, isBounded: Bool) {
        self.libpq = libpq
        cancelTimeout = configuration.cancelTimeout
        answerTimeout = isBounded ? nil : configuration.answerTimeout
        deadline = (isBounded ? cancelTimeout : answerTimeout).map { .now + $0 }
    }

    // MARK: Single statements

    /// Prepares the statement if this session has not yet, and executes it.
    ///
    /// A plan that another session's DDL made invalid is made anew, unless the failure has already ended an open
    /// transaction: then the error says so, and the next run prepares the statement again.
    mutating func run(_ statement: some PostgresStatement) throws -> StatementResult {
        let bound = try BoundStatement(statement)
        if libpq.deferredBegin != nil || libpq.lent != nil {
            guard let result = try pipeline([bound], sync: .once).first else {
                throw PostgresError(.misuse, "the server gave no result")
            }
            return result
        }
        do {
            return try execute(bound)
        } catch let error as PostgresError where error.isStalePlan {
            libpq.prepared.forget(bound.key)
            guard libpq.isIdle else { throw error }
            return try execute(bound)
        }
    }

    private mutating func execute(_ statement: BoundStatement) throws -> StatementResult {
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
        return try finish()
    }

    /// Runs a script; returns the result of each of its statements.
    ///
    /// - Parameter isAlone: Whether it is a statement that no transaction can hold.
    mutating func run(script: String, isAlone: Bool = false) throws -> [StatementResult] {
        let opening = isAlone ? [] : takeOpening()
        try libpq.send(script: (opening + [script]).joined(separator: "; "))
        return Array(try finishAll().dropFirst(opening.count))
    }

    // MARK: Transactions

    /// What has to be sent before anything else: the BEGIN that was put off, and
    /// what a transaction of a lent session needs.
    mutating func takeOpening() -> [String] {
        let begin = libpq.deferredBegin
        libpq.deferredBegin = nil
        return [begin, libpq.isIdle ? libpq.lent?.opening : nil].compactMap(\.self)
    }

    /// Begins the transaction whose BEGIN was put off.
    mutating func begin() throws {
        let opening = takeOpening()
        guard !opening.isEmpty else { return }
        try libpq.send(script: opening.joined(separator: "; "))
        _ = try finishAll()
    }

    /// Gives the session its settings, for as long as it lasts; a lent one gets them with each transaction instead.
    ///
    /// Whoever lends one made up the process id that stands in for the server's. As `options` the settings would take
    /// the place of what the environment or a service file gives, and PgBouncer refuses those.
    mutating func setUp(_ settings: [String: String]) throws {
        let statement = LentSession.statement(settings, isLocal: false)
        let results = try run(script: "\(statement) where pg_backend_pid() = \(libpq.backendPID)")
        if results.last?.affectedRows == 0 { libpq.lent = LentSession(settings) }
    }

    /// Changes a setting, for as long as the session lasts; if it is lent, from its next transaction on.
    mutating func set(_ name: String, to value: String) throws {
        libpq.lent?.set(name, to: value)
        guard libpq.lent == nil else { return }
        _ = try run(script: LentSession.statement([name: value], isLocal: false))
    }

    // MARK: Notifications

    /// Waits for a notification until the deadline; `nil` when none came.
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
    /// So it is where a server takes no writes: a standby that was the primary, or had better not been connected to.
    /// Only a connection that is made anew can reach the one that does.
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

    /// Deals with a wait that may have ended for another reason than the server's answer.
    private mutating func heed(_ readiness: LibpqConnection.Readiness) throws {
        switch readiness {
        case .ready: return
        case .interrupted: try requestCancel()
        case .timedOut:
            isBroken = true
            guard let answerTimeout, cancelRequest == nil else { throw CancellationError() }
            // Should it come to itself, it need not go on with what nobody waits for.
            _ = libpq.cancel()
            throw Self.silence(answerTimeout)
        }
    }

    /// Gives the server its whole time again, after it has taken or sent a part of something large.
    mutating func waitAnew() {
        guard let answerTimeout, cancelRequest == nil else { return }
        deadline = .now + answerTimeout
    }

    /// The failure of a connection whose server says nothing.
    static func silence(_ patience: Duration?) -> PostgresError {
        PostgresError(.connectionLost, "the server did not answer" + (patience.map { " within \($0)" } ?? ""))
    }

    /// Asks the server, once, to stop what it does for this connection.
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

    /// Ends an exchange between two of its steps, if it was cancelled before the second.
    func heedCancellation() throws {
        if wasAskedToStop || libpq.interrupt.isRaised { throw CancellationError() }
    }

    /// Ends an exchange whose results were all read: a request to cancel that may still be on its way is waited for, so
    /// that it cannot hit the next statement, and the failure is thrown.
    mutating func settle(_ failure: PostgresError?) throws {
        if let cancelRequest, let deadline, libpq.isOpen, !isBroken {
            self.cancelRequest = nil
            guard cancelRequest.waits(until: deadline) else {
                isBroken = true
                throw CancellationError()
            }
            // The server takes a late signal at the next statement: let that be an empty one.
            try libpq.send(script: "")
            while try awaitResult() != nil {}
            if failure?.sqlState == "57014" { throw CancellationError() }
        }
        if let failure { throw failure }
    }
}
