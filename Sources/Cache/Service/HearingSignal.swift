internal import FoundationEssentials
internal import Synchronization

/// Whether a process hears of changes, and how far it has heard, for tasks that wait for that.
final class HearingSignal: Sendable {
    private struct State {
        var isHearing = false
        var waiting: [UUID: AsyncStream<Void>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// Sets whether the process hears. Either way everything was just dropped, so nobody has to wait for an arrival.
    func set(_ isHearing: Bool) {
        let released = state.withLock { state in
            state.isHearing = isHearing
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in released { waiter.finish() }
    }

    /// Notes that a check has arrived, and with it everything that was sent before it.
    func arrive(_ check: UUID) { state.withLock { $0.waiting.removeValue(forKey: check) }?.finish() }

    /// Waits until the process hears.
    ///
    /// - Throws: `CancellationError`.
    func waitUntilHearing() async throws { while try await wait(for: UUID(), where: { !$0 }, {}) {} }

    /// Waits until everything that was sent before now has arrived; not at all if the process does not hear.
    ///
    /// - Parameter send: Sends the check.
    /// - Returns: Whether the process hears.
    /// - Throws: What `send` throws; `CancellationError`.
    func waitForArrival(of check: UUID, _ send: () async throws -> Void) async throws -> Bool {
        try await wait(for: check, where: { $0 }, send)
    }

    /// - Returns: Whether it had to wait.
    private func wait(
        for id: UUID,
        where mustWait: (Bool) -> Bool,
        _ send: () async throws -> Void
    ) async throws -> Bool {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let waits = state.withLock { state in
            guard mustWait(state.isHearing) else { return false }
            state.waiting[id] = continuation
            return true
        }
        guard waits else { return false }
        defer { state.withLock { $0.waiting[id] = nil } }
        try await send()
        for await _ in stream {}
        try Task.checkCancellation()
        return true
    }
}
