import Synchronization

/// Holds tasks until it is opened, and tells how many have come.
final class Gate: Sendable {
    private let arrived = AsyncStream.makeStream(of: Void.self)
    private let opened = AsyncStream.makeStream(of: Void.self)

    /// Says that a task has come, and waits until the gate is open; only one task may.
    func pass() async throws {
        arrived.continuation.yield()
        for await _ in opened.stream {}
        try Task.checkCancellation()
    }

    /// Waits until a task has come.
    func waitForArrival() async { for await _ in arrived.stream { return } }

    /// Lets the task go on.
    func open() { opened.continuation.finish() }
}
