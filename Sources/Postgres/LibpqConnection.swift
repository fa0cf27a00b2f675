internal import CLibpq
internal import Glibc
internal import Logging

/// libpq's `PGconn`, driven without blocking calls: every wait is a `poll` that a deadline or another thread can end.
///
/// Belongs to one ``PostgresConnection``, whose thread alone calls it.
///
/// Source: PostgreSQL manual, chapter 34, "libpq".
@safe final class LibpqConnection {
    private let pointer: OpaquePointer
    private let noticeLogger: NoticeLogger
    let interrupt: InterruptSignal

    /// Why a wait ended.
    enum Readiness { case ready, interrupted, timedOut }

    private init(owning pointer: OpaquePointer, interrupt: InterruptSignal, logger: Logger) {
        unsafe self.pointer = pointer
        self.interrupt = interrupt
        noticeLogger = NoticeLogger(logger: logger)
    }

    deinit { unsafe PQfinish(pointer) }

    /// Opens a connection.
    ///
    /// - Throws: ``PostgresError`` with `.connectionFailed` or `.timedOut`.
    static func connect(
        _ configuration: PostgresConfiguration,
        interrupt: InterruptSignal,
        logger: Logger
    ) throws(PostgresError) -> LibpqConnection {
        let keywords = [
            ("dbname", configuration.url),
            ("application_name", configuration.applicationName),
            ("client_encoding", "UTF8"),
            ("options", configuration.startupOptions),
        ]
        let started = unsafe withCStrings(keywords.map(\.0)) { names in
            unsafe withCStrings(keywords.map(\.1)) { values in unsafe PQconnectStartParams(names, values, 1) }
        }
        guard let started = unsafe started else { throw PostgresError(.connectionFailed, "no memory for a connection") }
        let connection = unsafe LibpqConnection(owning: started, interrupt: interrupt, logger: logger)
        try connection.finishConnecting(within: configuration.connectTimeout)
        connection.configure()
        return connection
    }

    private func finishConnecting(within timeout: Duration) throws(PostgresError) {
        let deadline = ContinuousClock.now + timeout
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            guard state != PGRES_POLLING_FAILED, unsafe PQstatus(pointer) != CONNECTION_BAD else {
                throw PostgresError(.connectionFailed, "cannot connect: \(lastMessage)")
            }
            switch wait(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline) {
            case .ready: state = unsafe PQconnectPoll(pointer)
            case .interrupted: throw PostgresError(.connectionFailed, "connecting was cancelled")
            case .timedOut: throw PostgresError(.timedOut, "no connection within \(timeout): check the address")
            }
        }
    }

    private func configure() {
        _ = unsafe PQsetnonblocking(pointer, 1)
        let context = unsafe Unmanaged.passUnretained(noticeLogger).toOpaque()
        _ = unsafe PQsetNoticeReceiver(
            pointer,
            { context, result in
                guard let context = unsafe context, let result = unsafe result else { return }
                let severity = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "V"))).map {
                    unsafe String(cString: $0)
                }
                let text = unsafe PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map {
                    unsafe String(cString: $0)
                }
                let logger = unsafe Unmanaged<NoticeLogger>.fromOpaque(context).takeUnretainedValue()
                logger.log(severity: severity ?? "NOTICE", message: text ?? "")
            },
            context
        )
    }

    /// The socket, for ``PostgresConnection/looksAlive``.
    var socket: Int32 { unsafe PQsocket(pointer) }

    /// The server's version, such as 150018.
    var serverVersion: Int { Int(unsafe PQserverVersion(pointer)) }

    /// The process that serves this connection.
    var backendPID: Int32 { unsafe PQbackendPID(pointer) }

    /// Whether libpq believes that the connection works.
    var isOpen: Bool { unsafe PQstatus(pointer) == CONNECTION_OK }

    /// Whether no transaction is open.
    var isIdle: Bool { unsafe PQtransactionStatus(pointer) == PQTRANS_IDLE }

    /// What libpq last complained about.
    var lastMessage: String {
        guard let text = unsafe PQerrorMessage(pointer) else { return "" }
        return unsafe String(cString: text).trimmedLine
    }

    // MARK: Sending

    /// Sends a script in the simple protocol.
    func send(script: String) throws(PostgresError) {
        try check(unsafe PQsendQuery(pointer, script))
    }

    /// Sends the request to prepare a statement.
    func sendPrepare(name: String, sql: String, types: [PostgresType]) throws(PostgresError) {
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

    /// Enters pipeline mode.
    func enterPipeline() throws(PostgresError) { try check(unsafe PQenterPipelineMode(pointer)) }

    /// Leaves pipeline mode; all results must have been read.
    func exitPipeline() throws(PostgresError) { try check(unsafe PQexitPipelineMode(pointer)) }

    /// Marks a point of synchronisation, which also ends the implicit transaction of what went before.
    func sendSync() throws(PostgresError) { try check(unsafe PQpipelineSync(pointer)) }

    private func check(_ succeeded: Int32) throws(PostgresError) {
        guard succeeded == 1 else {
            throw PostgresError(isOpen ? .misuse : .connectionLost, "cannot send to the server: \(lastMessage)")
        }
    }

    // MARK: Waiting

    /// Writes what libpq holds for the server, reading meanwhile, as the manual demands.
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

    private func lost() -> PostgresError {
        PostgresError(.connectionLost, "the connection to the server broke: \(lastMessage)")
    }

    private func wait(for events: Int32, until deadline: ContinuousClock.Instant?) -> Readiness {
        var descriptors = [
            pollfd(fd: socket, events: Int16(events), revents: 0),
            pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            var milliseconds: Int32 = -1
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline)
                guard left > .zero else { return .timedOut }
                milliseconds = left.pollMilliseconds
            }
            let count = unsafe poll(&descriptors, 2, milliseconds)
            if interrupt.isRaised { return .interrupted }
            if count > 0 { return .ready }
        }
    }

    // MARK: COPY

    /// Hands bytes of a COPY to libpq; waits when its buffer is full.
    func putCopy(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Readiness {
        while true {
            let status = unsafe PQputCopyData(
                pointer,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(bytes.count)
            )
            switch status {
            case 1: return try flush(until: nil)
            case 0:
                let readiness = wait(for: POLLIN | POLLOUT, until: nil)
                guard readiness == .ready else { return readiness }
                try consume()
            default: throw lost()
            }
        }
    }

    /// Ends a COPY, with a reason if it shall fail.
    func endCopy(failure: String? = nil) throws(PostgresError) {
        while true {
            let status = failure.map { unsafe PQputCopyEnd(pointer, $0) } ?? (unsafe PQputCopyEnd(pointer, nil))
            if status == 1 { return }
            guard status == 0 else { throw lost() }
            _ = wait(for: POLLOUT, until: nil)
        }
    }

    /// What `takeCopy` found.
    enum CopyData { case row, notYet, end }

    /// Takes the next row of a COPY TO that has arrived.
    func takeCopy<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> CopyData {
        var buffer: UnsafeMutablePointer<CChar>? = nil
        let count = unsafe PQgetCopyData(pointer, &buffer, 1)
        guard count > 0, let start = unsafe buffer else { return count == 0 ? .notYet : .end }
        defer { unsafe PQfreemem(start) }
        unsafe try body(UnsafeRawBufferPointer(start: start, count: Int(count)))
        return .row
    }

    // MARK: Cancelling

    /// Asks the server, over a connection of its own on a thread of its own, to stop what it does for us.
    ///
    /// - Returns: A signal that is raised when the request has reached the server or has failed.
    func cancel() -> InterruptSignal {
        let done = InterruptSignal()
        guard let request = unsafe PQgetCancel(pointer) else {
            done.raise()
            return done
        }
        let cancellation = unsafe Cancellation(owning: request)
        Thread {
            cancellation.run()
            done.raise()
        }.start()
        return done
    }

    /// SAFETY: made on one thread and handed to exactly one other, which frees it.
    @safe private final class Cancellation: @unchecked Sendable {
        private let request: OpaquePointer

        init(owning request: OpaquePointer) { unsafe self.request = request }

        deinit { unsafe PQfreeCancel(request) }

        func run() {
            var message = [CChar](repeating: 0, count: 256)
            _ = unsafe PQcancel(request, &message, Int32(message.count))
        }
    }
}

/// Sends the server's notices to swift-log.
private final class NoticeLogger {
    let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func log(severity: String, message: String) {
        let level: Logger.Level =
            switch severity {
            case "WARNING": .warning
            case "NOTICE", "INFO": .info
            default: .debug
            }
        logger.log(level: level, "\(message)", metadata: ["severity": "\(severity)"])
    }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<R>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
) -> R {
    let copies = unsafe strings.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    var pointers = unsafe copies.map { unsafe UnsafePointer($0) }
    unsafe pointers.append(nil)
    return unsafe pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("the array has its terminator") }
        return unsafe body(base)
    }
}
