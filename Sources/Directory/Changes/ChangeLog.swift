internal import Synchronization

/// The events that a transaction must append before it commits, and the accesses that were refused in it.
final class ChangeLog: Sendable {
    private struct State {
        var events: [ChangeEvent] = []
        var denied: [String] = []
    }

    private let state = Mutex(State())

    /// Notes events.
    func add(_ events: [ChangeEvent]) { state.withLock { $0.events += events } }

    /// Notes that access to a resource was refused.
    func addDenied(_ resource: String) { state.withLock { $0.denied.append(resource) } }

    /// Returns the events noted so far, and forgets them.
    func takeEvents() -> [ChangeEvent] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    /// Returns the resources to which access was refused, and forgets them.
    func takeDenied() -> [String] {
        state.withLock { state in
            defer { state.denied = [] }
            return state.denied
        }
    }
}
