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

    init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "no file descriptor left for a connection")
    }

    deinit { Glibc.close(descriptor) }

    /// Whether ``raise()`` was called since the last ``clear()``.
    var isRaised: Bool { raised.load(ordering: .acquiring) }

    /// Wakes the waiting thread, now or as soon as it waits.
    func raise() {
        raised.store(true, ordering: .releasing)
        _ = eventfd_write(descriptor, 1)
    }

    /// Waits until ``raise()`` was called.
    ///
    /// - Returns: `false` if the deadline came first.
    func waits(until deadline: ContinuousClock.Instant) -> Bool {
        while !isRaised {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return false }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&waiting, 1, left.pollMilliseconds)
        }
        return true
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
        return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }
}
