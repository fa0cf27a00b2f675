internal import CLibpq
internal import Dispatch

/// A request to the server to stop its work for a connection; sent over another connection, on a thread of its own.
///
/// Source: PostgreSQL manual, 34.7 "Canceling Queries in Progress".
///
/// SAFETY: `pointer` is set once, used only by the one thread that `send` starts, and freed only in `deinit`.
@safe final class CancelRequest: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let arrived = DispatchSemaphore(value: 0)

    /// - Parameter pointer: The result of `PQgetCancel`; the request owns it.
    init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe PQfreeCancel(pointer) }

    /// Sends the request.
    ///
    /// - Throws: ``PostgresError`` with `.connectionFailed` if the process cannot have another thread.
    func send() throws(PostgresError) {
        try Thread { [self] in
            var message = [CChar](repeating: 0, count: 256)
            _ = unsafe PQcancel(pointer, &message, Int32(message.count))
            arrived.signal()
        }.start()
    }

    /// Waits, once, until the request has reached the server or has failed.
    ///
    /// - Returns: `false` if the deadline came first.
    func waits(until deadline: ContinuousClock.Instant) -> Bool {
        let left = ContinuousClock.now.duration(to: deadline)
        return arrived.wait(timeout: .now() + .milliseconds(max(0, Int(left.pollMilliseconds)))) == .success
    }
}
