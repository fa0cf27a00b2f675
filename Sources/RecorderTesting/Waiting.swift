import Synchronization

/// What a test waited for and did not come.
package struct DidNotHappen: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until the condition holds: for what happens elsewhere and sends no signal.
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

/// Runs `body` in a task that is cancelled when it has told of its progress so often, before that call returns.
///
/// - Parameter body: Gets what it calls to tell of its progress.
/// - Returns: How it ended.
package func cancelled<R: Sendable>(
    after calls: Int,
    _ body: @escaping @Sendable (_ progressed: @escaping @Sendable () -> Void) async throws -> R
) async -> Result<R, any Error> {
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let handle = Mutex<Task<R, any Error>?>(nil)
    let told = Shared(0)
    let task = Task {
        // Not before it can be cancelled.
        for await _ in started {}
        return try await body { if told.add() == calls { handle.withLock { $0?.cancel() } } }
    }
    handle.withLock { $0 = task }
    start.finish()
    return await task.result
}
