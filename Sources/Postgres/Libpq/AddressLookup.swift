internal import Glibc
internal import Synchronization

/// Looks up a host's addresses on a thread of its own, because `getaddrinfo` blocks and nothing can stop it.
///
/// An abandoned look-up goes on until the system ends it; its result is dropped.
final class AddressLookup: Sendable {
    private let outcome = Mutex<Result<[String], PostgresError>?>(nil)
    private let hasEnded: InterruptSignal

    /// - Parameter lookUp: The function to run on the thread.
    /// - Throws: ``PostgresError`` with `.connectionFailed` if the process lacks the resources.
    init(_ lookUp: @escaping @Sendable () throws(PostgresError) -> [String]) throws(PostgresError) {
        hasEnded = try InterruptSignal()
        try Thread { [self] in
            let found = Result(catching: lookUp)
            outcome.withLock { $0 = found }
            hasEnded.raise()
        }.start()
    }

    /// Waits for the result.
    ///
    /// - Returns: `nil` if the deadline came first, or the interrupt was raised.
    func addresses(
        until deadline: ContinuousClock.Instant,
        interrupt: InterruptSignal
    ) throws(PostgresError) -> [String]? {
        // An interrupt that is just being raised may also end a wait; the next one then sees it.
        while interrupt.wait(for: POLLIN, of: hasEnded.descriptor, until: deadline) == .ready {
            if let outcome = outcome.withLock({ $0 }) { return try outcome.get() }
        }
        return nil
    }

    /// The addresses of a host as the system knows them, in the order in which they are to be tried.
    ///
    /// Source: getaddrinfo(3).
    ///
    /// - Throws: ``PostgresError`` with `.connectionFailed`.
    @Sendable static func addresses(of host: String) throws(PostgresError) -> [String] {
        func check(_ status: Int32) throws(PostgresError) {
            guard status != 0 else { return }
            let reason = unsafe String(cString: gai_strerror(status))
            throw PostgresError(
                .connectionFailed,
                "cannot connect: could not translate host name \"\(host)\" to address: \(reason)"
            )
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>? = nil
        try check(unsafe getaddrinfo(host, nil, &hints, &list))
        defer { unsafe freeaddrinfo(list) }
        var addresses: [String] = []
        var next = unsafe list
        while let entry = unsafe next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let (address, length) = unsafe (entry.ai_addr, entry.ai_addrlen)
            try check(unsafe getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST))
            addresses.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            unsafe next = entry.ai_next
        }
        return addresses
    }
}
