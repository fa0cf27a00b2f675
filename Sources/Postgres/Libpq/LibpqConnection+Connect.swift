internal import CLibpq
internal import Glibc
internal import Logging

extension LibpqConnection {
    /// Opens a connection.
    ///
    /// What the URL says overrides the defaults. Several hosts, and several addresses of one host, are tried in turn;
    /// each gets an equal share of the remaining time, but no more than the URL's `connect_timeout`. See
    /// ``ConnectAttempts``.
    ///
    /// - Throws: ``PostgresError`` with `.connectionFailed` or `.timedOut`.
    static func connect(
        _ configuration: PostgresConfiguration,
        interrupt: InterruptSignal,
        logger: Logger
    ) throws(PostgresError) -> LibpqConnection {
        let attempts = try ConnectAttempts(url: configuration.url)
        let deadline = ContinuousClock.now + configuration.connectTimeout
        var rest = attempts.keywords
        var failures: [PostgresError] = []
        while let host = rest.first {
            let share = ContinuousClock.now.duration(to: deadline) / rest.count
            let timeout = min(share, attempts.timeout ?? share)
            rest.removeFirst()
            do throws(PostgresError) {
                if let name = ConnectAttempts.name(of: host) {
                    let found = try addresses(of: name, configuration, within: timeout, interrupt: interrupt)
                    let order = attempts.isRandom ? found.shuffled() : found
                    rest.insert(contentsOf: order.map { address in host.merging(["hostaddr": address]) { $1 } }, at: 0)
                    continue
                }
                let connection = try start(configuration, host, interrupt: interrupt, logger: logger)
                try connection.finishConnecting(within: timeout)
                return connection
            } catch {
                if interrupt.isRaised { throw error }
                failures.append(error)
            }
        }
        let isTimeout = failures.allSatisfy { $0.code == .timedOut }
        var error = PostgresError(
            isTimeout ? .timedOut : .connectionFailed,
            failures.map(\.message).joined(separator: "; ")
        )
        error.isLasting = !failures.isEmpty && failures.allSatisfy(\.isLasting)
        throw error
    }

    private static func addresses(
        of host: String,
        _ configuration: PostgresConfiguration,
        within timeout: Duration,
        interrupt: InterruptSignal
    ) throws(PostgresError) -> [String] {
        let lookUp = configuration.lookUp
        let lookup = try AddressLookup { () throws(PostgresError) in try lookUp(host) }
        let deadline = ContinuousClock.now + timeout
        if let addresses = try lookup.addresses(until: deadline, interrupt: interrupt) { return addresses }
        guard !interrupt.isRaised else { throw cancelled }
        throw PostgresError(
            .timedOut,
            "no address of host \"\(host)\" was found within \(timeout.roundedToMilliseconds): check the name"
        )
    }

    private static let cancelled = PostgresError(.connectionFailed, "connecting was cancelled")

    /// Starts an attempt.
    ///
    /// - Parameter chosen: Keywords that override the URL's.
    private static func start(
        _ configuration: PostgresConfiguration,
        _ chosen: [String: String],
        interrupt: InterruptSignal,
        logger: Logger
    ) throws(PostgresError) -> LibpqConnection {
        // libpq lets a later keyword override an earlier one, and expands the URL where `dbname` stands.
        let keywords =
            [
                ("fallback_application_name", configuration.applicationName),
                // With these, a peer that vanished silently is noticed within a minute instead of the system's two
                // hours.
                ("keepalives_idle", "30"),
                ("keepalives_interval", "10"),
                ("keepalives_count", "3"),
                ("tcp_user_timeout", "60000"),
                ("dbname", configuration.url),
                ("client_encoding", "UTF8"),
            ] + chosen.map { ($0.key, $0.value) }
        let started = unsafe withCStrings(keywords.map(\.0)) { names in
            unsafe withCStrings(keywords.map(\.1)) { values in unsafe PQconnectStartParams(names, values, 1) }
        }
        guard let started = unsafe started else { throw PostgresError(.connectionFailed, "no memory for a connection") }
        return unsafe LibpqConnection(owning: started, interrupt: interrupt, logger: logger)
    }

    private func finishConnecting(within timeout: Duration) throws(PostgresError) {
        let deadline = ContinuousClock.now + timeout
        // libpq has no other way to tell a refused login's SQLSTATE.
        _ = unsafe PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
        defer { _ = unsafe PQsetErrorVerbosity(pointer, PQERRORS_DEFAULT) }
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            guard state != PGRES_POLLING_FAILED, unsafe PQstatus(pointer) != CONNECTION_BAD else {
                let refusal = ConnectRefusal(lastText)
                // For a name that was looked up, libpq's message gives only the address.
                let place = refusal.message.contains(host) ? "" : " to \(host)"
                var error = PostgresError(.connectionFailed, "cannot connect\(place): \(refusal.message)")
                error.isLasting = unsafe refusal.isLasting || PQconnectionNeedsPassword(pointer) == 1
                throw error
            }
            switch wait(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline) {
            case .ready: state = unsafe PQconnectPoll(pointer)
            case .interrupted: throw Self.cancelled
            case .timedOut:
                throw PostgresError(
                    .timedOut,
                    "no connection to \(host) within \(timeout.roundedToMilliseconds): check the address"
                )
            }
        }
        _ = unsafe PQsetnonblocking(pointer, 1)
    }

    /// The host that is being tried, as far as libpq knows it.
    private var host: String {
        guard let name = unsafe PQhost(pointer), unsafe name.pointee != 0 else { return "the server" }
        return unsafe String(cString: name)
    }
}

extension Duration {
    /// Rounded for messages: the rest of a time budget has digits that nobody wants to read.
    fileprivate var roundedToMilliseconds: Duration { .milliseconds(Int64((self / .milliseconds(1)).rounded())) }
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
