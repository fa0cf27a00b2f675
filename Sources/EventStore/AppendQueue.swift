internal import Synchronization

/// Appends on their way from many producers to one writer: first in, first out, in bounded memory.
///
/// A producer reserves room before it packs a parcel. If there is none it waits, and producers get room in the order in
/// which they came.
final class AppendQueue: Sendable {
    private struct Queued {
        let id: UInt64
        let parcel: AppendParcel
    }

    private struct Blocked {
        let id: UInt64
        let size: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var queued: [Queued] = []
        /// Where the queue's first parcel lies in `queued`; those before it were taken.
        var first = 0
        /// How many bytes are queued or reserved.
        var size = 0
        var lastID: UInt64 = 0
        var blocked: [Blocked] = []
        var writer: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: How many bytes the queue holds before producers have to wait. What is larger than that alone
    ///   gets in when the queue is empty.
    init(capacity: Int) { self.capacity = capacity }

    // MARK: Producers

    /// Reserves room, after waiting for it if there is none.
    ///
    /// - Parameter size: How many bytes. They are given back by ``release(_:)``, or by ``put(_:)`` to whoever takes the
    ///   parcel.
    /// - Throws: ``EventStoreError`` with `.closed`; `CancellationError`.
    func reserve(_ size: Int) async throws {
        try Task.checkCancellation()
        let isReserved = try state.withLock { state in
            if state.isClosed { throw Self.closed }
            return state.blocked.isEmpty && reserve(size, in: &state)
        }
        if !isReserved { try await waitForRoom(size) }
    }

    private func waitForRoom(_ size: Int) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.isClosed { return .failure(Self.closed) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.blocked.isEmpty, reserve(size, in: &state) { return .success(()) }
                    state.blocked.append(Blocked(id: id, size: size, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let (cancelled, admitted) = state.withLock { state -> (Blocked?, [Blocked]) in
                guard let index = state.blocked.firstIndex(where: { $0.id == id }) else { return (nil, []) }
                // Those behind a large one that gave up may fit.
                return (state.blocked.remove(at: index), admit(&state))
            }
            cancelled?.continuation.resume(throwing: CancellationError())
            for producer in admitted { producer.continuation.resume() }
        }
    }

    /// Gives back room that was reserved and is not needed.
    func release(_ size: Int) {
        let admitted = state.withLock { state in
            state.size -= size
            return admit(&state)
        }
        for producer in admitted { producer.continuation.resume() }
    }

    /// Puts a parcel, for which room was reserved, at the end, and wakes the writer.
    ///
    /// - Returns: The id by which ``cancel(_:)`` finds it.
    /// - Throws: ``EventStoreError`` with `.closed`; then the parcel was not taken and its room is given back.
    @discardableResult
    func put(_ parcel: AppendParcel) throws -> UInt64 {
        let (id, writer) = try state.withLock { state in
            guard !state.isClosed else {
                state.size -= parcel.size
                throw Self.closed
            }
            state.lastID += 1
            state.queued.append(Queued(id: state.lastID, parcel: parcel))
            return (state.lastID, state.writer.take())
        }
        writer?.resume()
        return id
    }

    /// Takes a parcel back that the writer does not have yet.
    ///
    /// - Returns: The parcel, or `nil` if the writer has it.
    func cancel(_ id: UInt64) -> AppendParcel? {
        let (parcel, admitted) = state.withLock { state -> (AppendParcel?, [Blocked]) in
            guard let index = state.queued[state.first...].firstIndex(where: { $0.id == id }) else { return (nil, []) }
            let parcel = state.queued.remove(at: index).parcel
            state.size -= parcel.size
            return (parcel, admit(&state))
        }
        for producer in admitted { producer.continuation.resume() }
        return parcel
    }

    /// How many parcels wait for the writer.
    var queuedParcels: Int { state.withLock { $0.queued.count - $0.first } }

    /// How many producers wait for room.
    var blockedProducers: Int { state.withLock { $0.blocked.count } }

    private func reserve(_ size: Int, in state: inout State) -> Bool {
        guard state.size == 0 || state.size + size <= capacity else { return false }
        state.size += size
        return true
    }

    /// Gives those room that wait for it and can have it, in their order.
    private func admit(_ state: inout State) -> [Blocked] {
        var admitted = 0
        while admitted < state.blocked.count, reserve(state.blocked[admitted].size, in: &state) { admitted += 1 }
        guard admitted > 0 else { return [] }
        defer { state.blocked.removeFirst(admitted) }
        return Array(state.blocked[..<admitted])
    }

    // MARK: Writer

    /// Takes what is queued, up to about so many events; waits if there is nothing.
    ///
    /// - Returns: At least one parcel; none after the queue was closed and everything was taken, or the task was
    ///   cancelled.
    func take(upTo events: Int) async -> [AppendParcel] {
        while true {
            let (group, admitted, isDone) = state.withLock { state in
                let group = takeGroup(&state, upTo: events)
                return (group, admit(&state), group.isEmpty && (state.isClosed || Task.isCancelled))
            }
            for producer in admitted { producer.continuation.resume() }
            if !group.isEmpty || isDone { return group }
            await waitForParcels()
        }
    }

    private func waitForParcels() async {
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
        state.withLock { $0.writer.take() }?.resume()
    }

    private func takeGroup(_ state: inout State, upTo limit: Int) -> [AppendParcel] {
        var group: [AppendParcel] = []
        var events = 0
        while state.first < state.queued.count {
            let parcel = state.queued[state.first].parcel
            guard group.isEmpty || events + parcel.events.count <= limit else { break }
            group.append(parcel)
            events += parcel.events.count
            state.size -= parcel.size
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

    /// Refuses new parcels; what is queued can still be taken.
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
    func drain() -> [AppendParcel] {
        state.withLock { state in
            let left = state.queued[state.first...].map(\.parcel)
            for parcel in left { state.size -= parcel.size }
            state.queued = []
            state.first = 0
            return left
        }
    }

    private static let closed = EventStoreError(.closed, "the appender is closed: nothing was stored, make a new one")
}
