internal import Synchronization

/// Lets lanes that cannot work side by side take turns.
final class LaneTurns: Sendable {
    private struct State {
        var areNeeded = false
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Whether lanes have collided, and so take turns.
    var areNeeded: Bool { state.withLock { $0.areNeeded } }

    /// Makes the lanes take turns from now on.
    func need() { state.withLock { $0.areNeeded = true } }

    /// Waits for its turn. The holder gives it back after its batch, even when cancelled.
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

    /// Passes the turn to the next lane.
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
