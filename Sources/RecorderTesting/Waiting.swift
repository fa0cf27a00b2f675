import Synchronization

/// Something that a test waited for did not happen.
package struct DidNotHappen: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until the condition holds, for events that happen elsewhere and send no signal.
///
/// - Throws: ``DidNotHappen`` after the limit, which is long, as machines may be slow; what the condition throws.
package func eventually(
    _ what: String,
    within limit: Duration = .seconds(300),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw DidNotHappen(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Runs `body` in a task that is cancelled when it has reported progress `calls` times, before the last call returns.
///
/// - Parameter body: Gets the function with which it reports progress.
/// - Returns: How it ended.
package func cancelled<R: Sendable>(
    after calls: Int,
    _ body: @escaping @Sendable (_ progressed: @escaping @Sendable () -> Void) async throws -> R
) async -> Result<R, any Error> {
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let handle = Mutex<Task<R, any Error>?>(nil)
    let told = Shared(0)
    let task = Task {
        // Waits until the task can be cancelled.
        for await _ in started {}
        return try await body { if told.add() == calls { handle.withLock { $0?.cancel() } } }
    }
    handle.withLock { $0 = task }
    start.finish()
    return await task.result
}
