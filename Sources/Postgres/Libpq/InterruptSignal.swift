internal import CLibpq
internal import Glibc
internal import Synchronization

/// Wakes a thread that waits in `poll`, from any other thread, by an eventfd.
///
/// Source: eventfd(2).
package final class InterruptSignal: Sendable {
    /// Readable while the signal is raised.
    let descriptor: Int32
    private let raised = Atomic(false)

    /// - Throws: ``PostgresError`` with `.connectionFailed` if the process has no file descriptor left.
    package init() throws(PostgresError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else {
            throw PostgresError(.connectionFailed, "no file descriptor is left for a connection: raise `ulimit -n`")
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Why a wait ended.
    enum Readiness { case ready, interrupted, timedOut }

    /// Waits for a descriptor, the signal or the deadline.
    ///
    /// - Parameter signal: Another signal that ends the wait as the descriptor does.
    func wait(
        for events: Int32,
        of other: Int32,
        or signal: InterruptSignal? = nil,
        until deadline: ContinuousClock.Instant?
    ) -> Readiness {
        var descriptors = (
            pollfd(fd: other, events: Int16(events), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            // A negative descriptor is ignored.
            pollfd(fd: signal?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
        )
        while true {
            var milliseconds: Int32 = -1
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline)
                guard left > .zero else { return .timedOut }
                milliseconds = left.pollMilliseconds
            }
            let count = unsafe withUnsafeMutableBytes(of: &descriptors) { bytes in
                unsafe poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 3, milliseconds)
            }
            if isRaised { return .interrupted }
            if count > 0 { return .ready }
        }
    }

    /// Whether ``raise()`` was called since the last ``clear()``.
    package var isRaised: Bool { raised.load(ordering: .acquiring) }

    /// Wakes the waiting thread, now or as soon as it waits.
    package func raise() {
        // In this order: a clear() that comes between the two must not leave the descriptor readable for ever.
        _ = eventfd_write(descriptor, 1)
        raised.store(true, ordering: .releasing)
    }

    /// Forgets earlier calls of ``raise()``.
    package func clear() {
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
