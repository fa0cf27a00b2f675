internal import Synchronization

/// What a transaction has to append before it commits, and what was refused in it.
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

    /// The events noted so far, which are then forgotten.
    func takeEvents() -> [ChangeEvent] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    /// The resources to which access was refused, which are then forgotten.
    func takeDenied() -> [String] {
        state.withLock { state in
            defer { state.denied = [] }
            return state.denied
        }
    }
}
