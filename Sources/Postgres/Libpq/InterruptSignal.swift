internal import CLibpq
internal import Glibc
internal import Synchronization

/// Wakes a thread that waits in `poll`, from any other thread. Its descriptor is an eventfd.
///
/// Source: eventfd(2).
final class InterruptSignal: Sendable {
    /// Readable while the signal is raised.
    let descriptor: Int32
    private let raised = Atomic(false)

    /// - Throws: ``PostgresError`` with `.connectionFailed` if the process has no file descriptor left.
    init() throws(PostgresError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else {
            throw PostgresError(.connectionFailed, "no file descriptor is left for a connection: raise `ulimit -n`")
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Whether ``raise()`` was called since the last ``clear()``.
    var isRaised: Bool { raised.load(ordering: .acquiring) }

    /// Wakes the waiting thread, now or as soon as it waits.
    func raise() {
        // In this order: a clear() that comes between the two must not leave the descriptor readable for ever.
        _ = eventfd_write(descriptor, 1)
        raised.store(true, ordering: .releasing)
    }

    /// Forgets earlier calls of ``raise()``.
    func clear() {
        guard raised.exchange(false, ordering: .acquiringAndReleasing) else { return }
        var value: eventfd_t = 0
        _ = unsafe eventfd_read(descriptor, &value)
    }
}

extension Duration {
    /// Whole milliseconds for `poll`, rounded up.
    var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) / 1000 - 1 else { return .max }
        return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }
}
