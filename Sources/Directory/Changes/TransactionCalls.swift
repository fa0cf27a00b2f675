internal import Synchronization

/// The calls of one transaction: whether more are accepted, and the first that failed.
///
/// Once a call has failed, the transaction is lost and accepts no more calls: catching the error does not let the rest
/// commit.
final class TransactionCalls: Sendable {
    private struct State {
        var isOver = false
        var underWay = 0
        var failure: (any Error)?
    }

    private let state = Mutex(State())

    /// Runs a call, and keeps its error for the transaction's end.
    ///
    /// - Throws: What `body` throws; the error of an earlier call; ``DirectoryError`` with `.transactionOver`.
    func run<R>(_ body: () async throws -> R) async throws -> R {
        try begin()
        do {
            let result = try await body()
            state.withLock { $0.underWay -= 1 }
            return result
        } catch {
            state.withLock { state in
                state.underWay -= 1
                state.failure = state.failure ?? error
            }
            throw error
        }
    }

    private func begin() throws {
        try state.withLock { state in
            if state.isOver { throw Self.over }
            if let failure = state.failure { throw failure }
            state.underWay += 1
        }
    }

    /// - Throws: ``DirectoryError`` with `.transactionOver` once no call may use the connection any more.
    func check() throws(DirectoryError) {
        if state.withLock({ $0.isOver }) { throw Self.over }
    }

    /// Accepts no more calls: for a transaction that is rolled back.
    func end() { state.withLock { $0.isOver = true } }

    /// Accepts no more calls: for a transaction that is about to be committed.
    ///
    /// - Throws: The error of the first call that failed; ``DirectoryError`` with `.transactionOver` if one is still
    ///   running: half of it would be committed.
    func endAll() throws {
        try state.withLock { state in
            state.isOver = true
            if let failure = state.failure { throw failure }
            if state.underWay > 0 { throw Self.unfinished }
        }
    }

    private static let over = DirectoryError(
        .transactionOver,
        "the transaction is over: use its repositories inside its body only, and wait there for every call"
    )

    private static let unfinished = DirectoryError(
        .transactionOver,
        "the transaction was rolled back, because its body ended before a call in it: wait in the body for every call"
    )
}
