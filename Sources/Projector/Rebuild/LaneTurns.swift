internal import Synchronization

/// A place for one, for lanes that cannot work beside each other.
final class LaneTurns: Sendable {
    private struct State {
        var areNeeded = false
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Whether lanes have met.
    var areNeeded: Bool { state.withLock { $0.areNeeded } }

    /// Has the lanes take turns from now on.
    func need() { state.withLock { $0.areNeeded = true } }

    /// Waits for the place. Whoever holds it gives it back after a batch, also one that is cancelled.
    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// Gives the place to the next.
    func giveBack() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
