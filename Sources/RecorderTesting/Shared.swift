import Synchronization

/// A value that tasks share.
package final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    package init(_ value: Value) { state = Mutex(value) }

    package var value: Value { withLock { $0 } }

    /// Reads or changes the value.
    package func withLock<R: Sendable>(_ body: (inout Value) -> R) -> R { state.withLock { body(&$0) } }
}

extension Shared<Int> {
    /// Changes the number.
    ///
    /// - Returns: The new number.
    @discardableResult
    package func add(_ difference: Int = 1) -> Int {
        withLock { number in
            number += difference
            return number
        }
    }
}
