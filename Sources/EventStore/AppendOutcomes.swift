internal import Synchronization

/// How many appends ended, each at its place, gathered until all have.
final class AppendOutcomes: Sendable {
    private struct State {
        var results: [Result<AppendReceipt, any Error>?]
        var open: Int
        var waiter: CheckedContinuation<[Result<AppendReceipt, any Error>], Never>?
    }

    private let state: Mutex<State>

    /// - Parameter count: How many there are.
    init(count: Int) {
        state = Mutex(State(results: Array(repeating: nil, count: count), open: count))
    }

    /// Learns how one ended; told once for each.
    func settle(_ index: Int, _ result: Result<AppendReceipt, any Error>) {
        let finished = state.withLock {
            state -> (
                CheckedContinuation<[Result<AppendReceipt, any Error>], Never>, [Result<AppendReceipt, any Error>]
            )? in
            state.results[index] = result
            state.open -= 1
            guard state.open == 0, let waiter = state.waiter else { return nil }
            return (waiter, state.results.compactMap(\.self))
        }
        if let (waiter, results) = finished { waiter.resume(returning: results) }
    }

    /// Waits until all ended. Called once.
    func all() async -> [Result<AppendReceipt, any Error>] {
        await withCheckedContinuation { waiter in
            let results = state.withLock { state -> [Result<AppendReceipt, any Error>]? in
                guard state.open > 0 else { return state.results.compactMap(\.self) }
                state.waiter = waiter
                return nil
            }
            if let results { waiter.resume(returning: results) }
        }
    }
}
