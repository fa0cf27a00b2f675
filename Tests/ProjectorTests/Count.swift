import Synchronization

/// A number that tasks share.
final class Count: Sendable {
    private let state = Mutex(0)

    var value: Int { state.withLock { $0 } }

    @discardableResult
    func add() -> Int {
        state.withLock { value in
            value += 1
            return value
        }
    }

    func set(_ value: Int) { state.withLock { $0 = value } }
}
