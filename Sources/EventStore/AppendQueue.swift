internal import Synchronization

/// An append that waits to be written, and whom to tell.
struct AppendRequest: Sendable {
    let appends: [EncodedAppend]
    /// Told exactly once how the append ended.
    let settle: @Sendable (Result<[AppendReceipt], any Error>) -> Void

    /// How many events it has.
    var events: Int { appends.reduce(0) { $0 + $1.events.count } }
    /// About how much memory it holds.
    var size: Int { appends.reduce(64) { $0 + $1.size } }
}

/// Appends on their way from many producers to one writer: first in, first out, in bounded memory.
///
/// A producer that finds the queue full waits until there is room, in the order in which it came.
final class AppendQueue: Sendable {
    private struct Queued {
        let id: UInt64
        let request: AppendRequest
    }

    private struct Blocked {
        let id: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var queued: [Queued] = []
        /// Where the queue's first request lies in `queued`; those before it were taken.
        var first = 0
        var size = 0
        var lastID: UInt64 = 0
        var blocked: [Blocked] = []
        var writer: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: How many bytes the queue holds before producers have to wait.
    init(capacity: Int) { self.capacity = capacity }

    // MARK: Producers

    /// Waits until the queue has room.
    ///
    /// - Throws: ``EventStoreError`` with `.closed`; `CancellationError`.
    func waitForRoom() async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.isClosed { return .failure(Self.closed) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.size < capacity, state.blocked.isEmpty { return .success(()) }
                    state.blocked.append(Blocked(id: id, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                state.blocked.firstIndex { $0.id == id }.map { state.blocked.remove(at: $0).continuation }
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    /// Puts requests at the end, all in one go, and wakes the writer.
    ///
    /// - Returns: The id of the first, by which ``cancel(_:)`` finds it; the others count on from there.
    /// - Throws: ``EventStoreError`` with `.closed`; then none was taken.
    @discardableResult
    func put(_ requests: [AppendRequest]) throws -> UInt64 {
        let (id, writer) = try state.withLock { state in
            guard !state.isClosed else { throw Self.closed }
            let first = state.lastID + 1
            for request in requests {
                state.lastID += 1
                state.queued.append(Queued(id: state.lastID, request: request))
                state.size += request.size
            }
            defer { state.writer = nil }
            return (first, state.writer)
        }
        writer?.resume()
        return id
    }

    /// Takes a request back that the writer does not have yet.
    ///
    /// - Returns: The request, or `nil` if the writer has it.
    func cancel(_ id: UInt64) -> AppendRequest? {
        let (request, blocked) = state.withLock { state -> (AppendRequest?, [Blocked]) in
            guard let index = state.queued[state.first...].firstIndex(where: { $0.id == id }) else { return (nil, []) }
            let request = state.queued.remove(at: index).request
            state.size -= request.size
            return (request, takeUnblocked(&state))
        }
        for producer in blocked { producer.continuation.resume() }
        return request
    }

    // MARK: Writer

    /// Takes what is queued, up to about so many events; waits if there is nothing.
    ///
    /// - Returns: At least one request; none after the queue was closed and everything was taken, or the task was
    ///   cancelled.
    func take(upTo events: Int) async -> [AppendRequest] {
        while true {
            let (group, blocked, isDone) = state.withLock { state in
                let group = takeGroup(&state, upTo: events)
                return (group, takeUnblocked(&state), group.isEmpty && (state.isClosed || Task.isCancelled))
            }
            for producer in blocked { producer.continuation.resume() }
            if !group.isEmpty || isDone { return group }
            await waitForRequests()
        }
    }

    private func waitForRequests() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.first < state.queued.count || state.isClosed || Task.isCancelled { return true }
                    state.writer = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            wakeWriter()
        }
    }

    private func wakeWriter() {
        let writer = state.withLock { state in
            defer { state.writer = nil }
            return state.writer
        }
        writer?.resume()
    }

    private func takeGroup(_ state: inout State, upTo limit: Int) -> [AppendRequest] {
        var group: [AppendRequest] = []
        var events = 0
        while state.first < state.queued.count {
            let request = state.queued[state.first].request
            guard group.isEmpty || events + request.events <= limit else { break }
            group.append(request)
            events += request.events
            state.size -= request.size
            state.first += 1
        }
        if state.first == state.queued.count {
            state.queued.removeAll(keepingCapacity: true)
            state.first = 0
        } else if state.first > 4096 {
            state.queued.removeFirst(state.first)
            state.first = 0
        }
        return group
    }

    private func takeUnblocked(_ state: inout State) -> [Blocked] {
        guard state.size < capacity, !state.blocked.isEmpty else { return [] }
        defer { state.blocked = [] }
        return state.blocked
    }

    /// Refuses new requests; what is queued can still be taken.
    func close() {
        let blocked = state.withLock { state in
            state.isClosed = true
            defer { state.blocked = [] }
            return state.blocked
        }
        for producer in blocked { producer.continuation.resume(throwing: Self.closed) }
        wakeWriter()
    }

    /// Takes everything that is left, for a writer that cannot go on.
    func drain() -> [AppendRequest] {
        state.withLock { state in
            defer {
                state.queued = []
                state.first = 0
                state.size = 0
            }
            return state.queued[state.first...].map(\.request)
        }
    }

    private static let closed = EventStoreError(.closed, "the appender is closed: nothing was stored, make a new one")
}
