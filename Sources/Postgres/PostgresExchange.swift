internal import CLibpq

/// One exchange with the server: what is sent, and every result until the connection is at rest again.
///
/// Runs on the connection's thread and blocks only it. When the task is cancelled meanwhile, it asks the server to stop,
/// and gives up the connection if the server does not within the bound.
struct PostgresExchange {
    private let libpq: LibpqConnection
    private let cancelTimeout: Duration
    private(set) var prepared: PreparedStatements
    /// Whether the connection cannot be used any more.
    private(set) var isBroken = false

    private var cancellation: (request: InterruptSignal, deadline: ContinuousClock.Instant)?
    private var expected: [Expectation] = []
    private var pipelineResults: [StatementResult] = []

    /// What the results of a pipeline are, in order.
    private enum Expectation {
        case prepared(sql: String, PreparedStatements.Entry)
        case statement
        case sync
    }

    init(_ libpq: LibpqConnection, prepared: PreparedStatements, cancelTimeout: Duration) {
        self.libpq = libpq
        self.prepared = prepared
        self.cancelTimeout = cancelTimeout
    }

    // MARK: Single statements

    /// Prepares the statement if this session has not yet, and executes it.
    mutating func run(_ statement: some PostgresStatement) throws -> StatementResult {
        var parameters = PostgresParameters()
        try statement.bind(&parameters)
        let sql = statement.sql
        let entry: PreparedStatements.Entry
        if let known = prepared.entry(for: sql, types: parameters.types) {
            entry = known
        } else {
            entry = prepared.newEntry(types: parameters.types)
            try libpq.sendPrepare(name: entry.name, sql: sql, types: entry.types)
            _ = try finish()
            prepared.remember(entry, for: sql)
        }
        try libpq.sendExecute(name: entry.name, parameters: parameters)
        return try finish()
    }

    /// Runs a script; returns the result of each of its statements.
    mutating func run(script: String) throws -> [StatementResult] {
        try libpq.send(script: script)
        return try finishAll()
    }

    // MARK: Pipelines

    /// Sends what `send` sends and reads all results; then ``takePipelineResults()`` has them.
    mutating func pipeline(
        sync: PostgresConnection.PipelineSync,
        _ send: (inout PostgresExchange) throws(PostgresError) -> Void
    ) throws {
        try libpq.enterPipeline()
        do {
            try send(&self)
        } catch {
            // What was sent is answered before the connection can be used again.
            try sendSync()
            _ = try? readPipeline()
            try? libpq.exitPipeline()
            throw error
        }
        if sync == .once { try sendSync() }
        try readPipeline()
    }

    /// Sends one statement of a pipeline.
    mutating func send(
        _ statement: some PostgresStatement,
        sync: PostgresConnection.PipelineSync = .once
    ) throws(PostgresError) {
        var parameters = PostgresParameters()
        try statement.bind(&parameters)
        let sql = statement.sql
        let entry: PreparedStatements.Entry
        if let known = prepared.entry(for: sql, types: parameters.types) {
            entry = known
        } else {
            entry = prepared.newEntry(types: parameters.types)
            try libpq.sendPrepare(name: entry.name, sql: sql, types: entry.types)
            expected.append(.prepared(sql: sql, entry))
        }
        try libpq.sendExecute(name: entry.name, parameters: parameters)
        expected.append(.statement)
        if sync == .each { try sendSync() }
    }

    private mutating func sendSync() throws(PostgresError) {
        try libpq.sendSync()
        expected.append(.sync)
    }

    /// The results of the pipeline's statements, in the order in which they were sent.
    mutating func takePipelineResults() -> [StatementResult] {
        defer { pipelineResults = [] }
        return pipelineResults
    }

    private mutating func readPipeline() throws {
        var failure: PostgresError?
        for expectation in expected {
            guard let result = try awaitResult() else {
                isBroken = true
                throw PostgresError(.connectionLost, "the server's answers ended early")
            }
            if case .sync = expectation { continue }
            while try awaitResult() != nil {}
            switch (result.status, expectation) {
            case (PGRES_FATAL_ERROR, _), (PGRES_BAD_RESPONSE, _): failure = failure ?? error(of: result)
            case (PGRES_PIPELINE_ABORTED, _): continue
            case (_, .prepared(let sql, let entry)): prepared.remember(entry, for: sql)
            default: pipelineResults.append(StatementResult(result))
            }
        }
        expected = []
        if libpq.isOpen { try libpq.exitPipeline() }
        try settle(failure)
    }

    // MARK: COPY

    /// Starts a COPY and waits until the server is ready for it.
    mutating func beginCopy(_ sql: String, expecting direction: CopyDirection) throws {
        try libpq.send(script: sql)
        guard let result = try awaitResult() else { throw PostgresError(.misuse, "the server ignored COPY") }
        guard result.status == direction.status else {
            let failure = result.status == PGRES_FATAL_ERROR ? error(of: result) : PostgresError(.misuse, "not a COPY")
            while try awaitResult() != nil {}
            try settle(failure)
            throw failure
        }
    }

    /// The two directions of COPY.
    enum CopyDirection {
        case copyIn, copyOut

        fileprivate var status: ExecStatusType { self == .copyIn ? PGRES_COPY_IN : PGRES_COPY_OUT }
    }

    /// Sends bytes of a COPY.
    func putCopy(_ bytes: UnsafeRawBufferPointer) throws {
        guard unsafe try libpq.putCopy(bytes) == .ready else { throw CancellationError() }
    }

    /// Ends the COPY that this connection sends.
    func endCopy() throws(PostgresError) { try libpq.endCopy() }

    /// Makes the COPY that this connection sends fail, so that nothing of it is stored.
    mutating func failCopy(_ reason: String) throws {
        try libpq.endCopy(failure: reason)
        while try awaitResult() != nil {}
    }

    /// Hands each row of a COPY that the server sends to `body`.
    mutating func readCopy(_ body: (borrowing PostgresCopyRow) throws -> Void) throws {
        var isFirst = true
        while true {
            let state = unsafe try libpq.takeCopy { bytes in
                let row = unsafe try PostgresCopyRow(message: bytes, isFirst: isFirst)
                isFirst = false
                if let row { try body(row) }
            }
            switch state {
            case .row: continue
            case .end: return
            case .notYet: try heed(libpq.waitForInput(until: cancellation?.deadline))
            }
        }
    }

    /// Stops whatever the server is doing for this connection and reads what is left.
    mutating func abandon() {
        do {
            requestCancel()
            while unsafe libpq.takeCopy({ _ in }) != .end {
                try heed(libpq.waitForInput(until: cancellation?.deadline))
            }
            while try awaitResult() != nil {}
            try settle(nil)
        } catch {
            isBroken = true
        }
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
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: failure = failure ?? error(of: result)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                isBroken = true
                throw PostgresError(.misuse, "COPY needs copyIn or copyOut")
            default: results.append(StatementResult(result))
            }
        }
        try settle(failure)
        return results
    }

    private mutating func awaitResult() throws -> LibpqResult? {
        while true {
            switch try libpq.waitForResult(until: cancellation?.deadline) {
            case .ready: return libpq.nextResult()
            case let other: try heed(other)
            }
        }
    }

    /// Deals with a wait that may have ended for another reason than the server's answer.
    private mutating func heed(_ readiness: LibpqConnection.Readiness) throws {
        switch readiness {
        case .ready: return
        case .interrupted: requestCancel()
        case .timedOut:
            isBroken = true
            throw CancellationError()
        }
    }

    private mutating func requestCancel() {
        libpq.interrupt.clear()
        guard cancellation == nil else { return }
        cancellation = (libpq.cancel(), .now + cancelTimeout)
    }

    private mutating func error(of result: LibpqResult) -> PostgresError {
        var error = result.error()
        if !libpq.isOpen || ["FATAL", "PANIC"].contains(result.severity) {
            isBroken = true
            var lost = PostgresError(.connectionLost, "the connection to the server broke: \(error.message)")
            lost.sqlState = error.sqlState
            error = lost
        }
        return error
    }

    /// Ends an exchange whose results were all read: a request to cancel that may still be on its way is waited for, so
    /// that it cannot hit the next statement, and the failure is thrown.
    private mutating func settle(_ failure: PostgresError?) throws {
        if let cancellation, libpq.isOpen, !isBroken {
            self.cancellation = nil
            guard cancellation.request.waits(until: cancellation.deadline) else {
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
