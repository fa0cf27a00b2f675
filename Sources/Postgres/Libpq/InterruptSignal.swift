internal import Glibc
internal import Synchronization

/// Ends a thread's wait, from any other thread; it stays raised until it is cleared.
final class InterruptSignal: Sendable {
    private let wake: WakeSignal
    private let raised = Atomic(false)

    /// - Throws: ``PostgresError`` with `.connectionFailed` if the process has no file descriptor left.
    init() throws(PostgresError) { wake = try WakeSignal() }

    /// Readable while the signal is raised.
    var descriptor: Int32 { wake.descriptor }

    /// Why a wait ended.
    enum Readiness { case ready, interrupted, timedOut }

    /// Waits for a descriptor, the signal or the deadline.
    ///
    /// - Parameter wake: Ends the wait as the descriptor does.
    func wait(
        for events: Int32,
        of other: Int32,
        or wake: WakeSignal? = nil,
        until deadline: ContinuousClock.Instant?
    ) -> Readiness {
        var descriptors = (
            pollfd(fd: other, events: Int16(events), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            // A negative descriptor is ignored.
            pollfd(fd: wake?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
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
    var isRaised: Bool { raised.load(ordering: .acquiring) }

    /// Wakes the waiting thread, now or as soon as it waits.
    func raise() {
        // In this order: a clear() that comes between the two must not leave the descriptor readable for ever.
        wake.raise()
        raised.store(true, ordering: .releasing)
    }

    /// Forgets earlier calls of ``raise()``.
    func clear() {
        guard raised.exchange(false, ordering: .acquiringAndReleasing) else { return }
        wake.clear()
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
