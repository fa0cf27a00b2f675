internal import Synchronization

/// The results of some appends, gathered until all have ended.
package final class AppendOutcomes: Sendable {
    private struct State {
        var results: [AppendResult?]
        var open: Int
        var waiter: CheckedContinuation<[AppendResult], Never>?
    }

    private let state: Mutex<State>

    /// - Parameter count: How many appends there are.
    init(count: Int) {
        state = Mutex(State(results: Array(repeating: nil, count: count), open: count))
    }

    /// Records how some appends ended; called once for each place.
    func settle(_ results: some Sequence<(place: Int, result: AppendResult)>) {
        let (waiter, all) = state.withLock { state -> (CheckedContinuation<[AppendResult], Never>?, [AppendResult]) in
            for (place, result) in results {
                state.results[place] = result
                state.open -= 1
            }
            guard state.open == 0, let waiter = state.waiter else { return (nil, []) }
            return (waiter, state.results.compactMap { $0 })
        }
        waiter?.resume(returning: all)
    }

    /// Waits until all appends have ended. Called once.
    ///
    /// - Returns: How each append ended, in order.
    package func all() async -> [AppendResult] {
        await withCheckedContinuation { waiter in
            let results = state.withLock { state -> [AppendResult]? in
                guard state.open > 0 else { return state.results.compactMap { $0 } }
                state.waiter = waiter
                return nil
            }
            if let results { waiter.resume(returning: results) }
        }
    }
}
