internal import CLibpq
internal import Glibc
internal import Logging

/// libpq's `PGconn`, driven without blocking calls: every wait is a `poll` that a deadline or another thread can end.
///
/// Belongs to one ``PostgresConnection``, whose thread alone calls it.
///
/// Source: PostgreSQL manual, chapter 34, "libpq".
@safe final class LibpqConnection {
    /// Used only in this file and its extensions; freed in `deinit`.
    let pointer: OpaquePointer
    /// Ends a wait from another thread.
    let interrupt: InterruptSignal
    /// The statements that this session has prepared.
    var prepared = PreparedStatements()
    /// A BEGIN that the next exchange sends first.
    var deferredBegin: String?
    /// The settings for each transaction, if a pooler lends the session for one at a time; otherwise `nil`.
    var lent: LentSession?
    private let noticeLogger: NoticeLogger

    /// Why a wait ended.
    typealias Readiness = InterruptSignal.Readiness

    /// Takes ownership of a connection that was started.
    init(owning pointer: OpaquePointer, interrupt: InterruptSignal, logger: Logger) {
        unsafe self.pointer = pointer
        self.interrupt = interrupt
        noticeLogger = NoticeLogger(logger: logger)
        unsafe noticeLogger.receiveNotices(of: pointer)
    }

    deinit { unsafe PQfinish(pointer) }

    // MARK: State

    /// The socket, for ``PostgresConnection/looksAlive``.
    var socket: Int32 { unsafe PQsocket(pointer) }

    /// The server's version, such as 150018.
    var serverVersion: Int { Int(unsafe PQserverVersion(pointer)) }

    /// The server process of this connection.
    var backendPID: Int32 { unsafe PQbackendPID(pointer) }

    /// Whether libpq considers the connection usable.
    var isOpen: Bool { unsafe PQstatus(pointer) == CONNECTION_OK }

    /// Whether no transaction is open.
    var isIdle: Bool { unsafe PQtransactionStatus(pointer) == PQTRANS_IDLE }

    /// Whether the server is a standby, or was told to refuse writes; known without asking it.
    var takesNoWrites: Bool {
        ["in_hot_standby", "default_transaction_read_only"].contains { name in
            guard let value = unsafe PQparameterStatus(pointer, name) else { return false }
            return unsafe String(cString: value) == "on"
        }
    }

    /// Whether every result was read and the next statement can be sent.
    var isAtRest: Bool {
        unsafe PQtransactionStatus(pointer) != PQTRANS_ACTIVE && PQpipelineStatus(pointer) == PQ_PIPELINE_OFF
    }

    /// libpq's latest error message, on one line.
    var lastMessage: String { lastText.trimmedLine }

    /// libpq's latest error message, as it is.
    var lastText: String {
        guard let text = unsafe PQerrorMessage(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    /// The error for a connection that no longer works.
    func lost() -> PostgresError {
        PostgresError(.connectionLost, "the connection to the server broke: \(lastMessage)")
    }

    // MARK: Sending

    /// Sends a script in the simple protocol.
    func send(script: String) throws(PostgresError) {
        try refuseNUL(in: script)
        try check(unsafe PQsendQuery(pointer, script))
    }

    /// Sends the request to prepare a statement.
    func sendPrepare(name: String, sql: String, types: [PostgresType]) throws(PostgresError) {
        try refuseNUL(in: sql)
        let oids = types.map(\.rawValue)
        try check(unsafe PQsendPrepare(pointer, name, sql, Int32(oids.count), oids))
    }

    /// Sends the execution of a prepared statement; values and results are binary.
    func sendExecute(name: String, parameters: borrowing PostgresParameters) throws(PostgresError) {
        let sent = unsafe parameters.withPointers { values, lengths, formats in
            unsafe PQsendQueryPrepared(pointer, name, Int32(lengths.count), values, lengths, formats, 1)
        }
        try check(sent)
    }

    /// Sends a statement that is parsed for this execution only; values and results are binary.
    func sendOnce(
        sql: String,
        types: [PostgresType],
        parameters: borrowing PostgresParameters
    ) throws(PostgresError) {
        try refuseNUL(in: sql)
        let oids = types.map(\.rawValue)
        let sent = unsafe parameters.withPointers { values, lengths, formats in
            unsafe PQsendQueryParams(pointer, sql, Int32(lengths.count), oids, values, lengths, formats, 1)
        }
        try check(sent)
    }

    /// Enters pipeline mode.
    func enterPipeline() throws(PostgresError) { try check(unsafe PQenterPipelineMode(pointer)) }

    /// Leaves pipeline mode; all results must have been read.
    func exitPipeline() throws(PostgresError) { try check(unsafe PQexitPipelineMode(pointer)) }

    /// Sends a Sync, which also ends the implicit transaction of the statements before it.
    func sendSync() throws(PostgresError) { try check(unsafe PQpipelineSync(pointer)) }

    private func check(_ succeeded: Int32) throws(PostgresError) {
        guard succeeded == 1 else {
            throw PostgresError(isOpen ? .misuse : .connectionLost, "cannot send to the server: \(lastMessage)")
        }
    }

    /// Refuses a NUL: C would end the text there, and half of a statement would run.
    private func refuseNUL(in sql: String) throws(PostgresError) {
        guard !sql.utf8.contains(0) else { throw PostgresError(.misuse, "a NUL stands in the SQL") }
    }

    // MARK: Waiting

    /// Writes what libpq has buffered for the server; reads meanwhile, as the manual demands.
    func flush(until deadline: ContinuousClock.Instant?) throws(PostgresError) -> Readiness {
        while true {
            switch unsafe PQflush(pointer) {
            case 0: return .ready
            case 1:
                let readiness = wait(for: POLLIN | POLLOUT, until: deadline)
                guard readiness == .ready else { return readiness }
                try consume()
            default: throw lost()
            }
        }
    }

    /// Waits until a result can be taken without blocking.
    func waitForResult(until deadline: ContinuousClock.Instant?) throws(PostgresError) -> Readiness {
        let readiness = try flush(until: deadline)
        guard readiness == .ready else { return readiness }
        while unsafe PQisBusy(pointer) == 1 {
            let readiness = wait(for: POLLIN, until: deadline)
            guard readiness == .ready else { return readiness }
            try consume()
        }
        return .ready
    }

    /// The next result of the statement that was sent, or `nil` after its last one.
    func nextResult() -> LibpqResult? {
        guard let result = unsafe PQgetResult(pointer) else { return nil }
        return unsafe LibpqResult(owning: result)
    }

    /// Waits for anything from the server.
    func waitForInput(until deadline: ContinuousClock.Instant?) throws(PostgresError) -> Readiness {
        let readiness = wait(for: POLLIN, until: deadline)
        if readiness == .ready { try consume() }
        return readiness
    }

    /// Reads what has arrived.
    func consume() throws(PostgresError) {
        guard unsafe PQconsumeInput(pointer) == 1 else { throw lost() }
    }

    /// The next notification that has arrived.
    func nextNotification() -> (channel: String, payload: String)? {
        guard let notification = unsafe PQnotifies(pointer) else { return nil }
        defer { unsafe PQfreemem(notification) }
        return unsafe (String(cString: notification.pointee.relname), String(cString: notification.pointee.extra))
    }

    /// Waits for the socket, the interrupt or the deadline.
    func wait(for events: Int32, until deadline: ContinuousClock.Instant?) -> Readiness {
        interrupt.wait(for: events, of: socket, until: deadline)
    }

    // MARK: Cancelling

    /// Asks the server to stop its work for this connection.
    ///
    /// - Returns: `nil` if the process lacks the resources to ask.
    func cancel() -> CancelRequest? {
        guard let request = unsafe PQgetCancel(pointer) else { return nil }
        let cancellation = unsafe CancelRequest(owning: request)
        do throws(PostgresError) { try cancellation.send() } catch { return nil }
        return cancellation
    }
}
