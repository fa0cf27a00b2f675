internal import CLibpq
internal import Glibc

/// Wakes a thread that waits in `poll`, from any other thread, by an eventfd.
///
/// Source: eventfd(2).
package final class WakeSignal: Sendable {
    /// Readable while the signal is raised.
    let descriptor: Int32

    /// - Throws: ``PostgresError`` with `.connectionFailed` if the process has no file descriptor left.
    package init() throws(PostgresError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else {
            throw PostgresError(.connectionFailed, "no file descriptor is left for a connection: raise `ulimit -n`")
        }
    }

    deinit { close(descriptor) }

    /// Wakes the waiting thread, now or as soon as it waits.
    package func raise() { _ = eventfd_write(descriptor, 1) }

    /// Forgets earlier calls of ``raise()``.
    package func clear() {
        var value: eventfd_t = 0
        _ = unsafe eventfd_read(descriptor, &value)
    }

    /// Whether it is raised.
    package var isRaised: Bool { isReadable(descriptor) }
}

/// Whether a descriptor can be read from without waiting.
func isReadable(_ descriptor: Int32) -> Bool {
    var descriptor = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&descriptor, 1, 0) > 0
}
