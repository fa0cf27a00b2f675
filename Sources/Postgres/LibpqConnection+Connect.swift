internal import CLibpq
internal import Glibc
internal import Logging

extension LibpqConnection {
    /// Opens a connection.
    ///
    /// What the URL says goes before what libpq would do without it; the session's settings go before the URL's.
    ///
    /// - Throws: ``PostgresError`` with `.connectionFailed` or `.timedOut`.
    static func connect(
        _ configuration: PostgresConfiguration,
        interrupt: InterruptSignal,
        logger: Logger
    ) throws(PostgresError) -> LibpqConnection {
        // libpq lets a later keyword override an earlier one, and expands the URL where `dbname` stands.
        let keywords = [
            ("fallback_application_name", configuration.applicationName),
            // A peer that vanished without a word is noticed within a minute, not after the system's two hours.
            ("keepalives_idle", "30"),
            ("keepalives_interval", "10"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "60000"),
            ("dbname", configuration.url),
            ("client_encoding", "UTF8"),
            ("options", [options(ofURL: configuration.url), configuration.startupOptions].joined(separator: " ")),
        ]
        let started = unsafe withCStrings(keywords.map(\.0)) { names in
            unsafe withCStrings(keywords.map(\.1)) { values in unsafe PQconnectStartParams(names, values, 1) }
        }
        guard let started = unsafe started else { throw PostgresError(.connectionFailed, "no memory for a connection") }
        let connection = unsafe LibpqConnection(owning: started, interrupt: interrupt, logger: logger)
        try connection.finishConnecting(within: configuration.connectTimeout)
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
        _ = unsafe PQsetnonblocking(pointer, 1)
    }

    /// The `options` that a URL sets, which the session's settings are added to.
    private static func options(ofURL url: String) -> String {
        guard let parsed = unsafe PQconninfoParse(url, nil) else { return "" }
        defer { unsafe PQconninfoFree(parsed) }
        var option = unsafe parsed
        while let keyword = unsafe option.pointee.keyword {
            if unsafe strcmp(keyword, "options") == 0, let value = unsafe option.pointee.val {
                return unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return ""
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
