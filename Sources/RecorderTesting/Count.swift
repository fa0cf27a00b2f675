import Synchronization

/// A number that tasks share.
package final class Count: Sendable {
    private let number = Mutex(0)

    package init() {}

    package var value: Int { number.withLock { $0 } }

    /// Changes the number.
    ///
    /// - Returns: What it is then.
    @discardableResult
    package func add(_ difference: Int = 1) -> Int {
        number.withLock { number in
            number += difference
            return number
        }
    }

    package func set(_ value: Int) { number.withLock { $0 = value } }
}
