internal import Postgres
internal import Synchronization

/// Queues appends from many producers for a few writers, in bounded memory; those to one stream first in, first out.
///
/// A producer reserves room before it packs a parcel. If there is none it waits; producers get room in the order in
/// which they came. Streams are divided into lanes, and a writer takes whole lanes: its own, and the others' too while
/// there is little to write.
final class AppendQueue: Sendable {
    struct Blocked {
        let id: UInt64
        let size: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    struct State {
        var lanes: [AppendLane]
        /// How many bytes are queued or reserved.
        var size = 0
        var lastID: UInt64 = 0
        var blocked: [Blocked] = []
        var isClosed = false
        /// How often all stream heads were forgotten.
        var generation = 0
        /// What to raise when so many events are queued.
        var bell: (signal: WakeSignal, events: Int)?

        /// How many events are queued.
        var events: Int { lanes.reduce(0) { $0 + $1.events } }

        /// Takes the bell, if it is time to ring it.
        mutating func dueBell() -> WakeSignal? {
            guard let bell, events >= bell.events else { return nil }
            self.bell = nil
            return bell.signal
        }
    }

    let state: Mutex<State>
    private let capacity: Int

    /// - Parameters:
    ///   - capacity: How many bytes the queue holds before producers have to wait. A single larger parcel gets in when
    ///     the queue is empty.
    ///   - lanes: How many writers there are, each with a lane of its own.
    ///   - remembered: How many event ids all lanes together remember.
    init(capacity: Int, lanes: Int = 1, remembered: Int = 250_000) {
        self.capacity = capacity
        let lane = AppendLane(LaneHeads(limit: remembered / lanes))
        state = Mutex(State(lanes: Array(repeating: lane, count: lanes)))
    }

    // MARK: Producers

    /// Reserves room, waiting for it if there is none.
    ///
    /// - Parameters:
    ///   - size: How many bytes. They are given back by ``release(_:)``, or when a writer takes the parcel put in by
    ///     ``put(_:in:since:)``.
    ///   - lane: Where it is for.
    /// - Returns: How many outages the lane has had so far.
    /// - Throws: ``EventStoreError`` with `.closed`; `CancellationError`.
    @discardableResult
    func reserve(_ size: Int, in lane: Int = 0) async throws -> Int {
        try Task.checkCancellation()
        let (isReserved, outages) = try state.withLock { state in
            if state.isClosed { throw Self.closed }
            return (state.blocked.isEmpty && reserve(size, in: &state), state.lanes[lane].outages)
        }
        if !isReserved { try await waitForRoom(size) }
        return outages
    }

    /// How many outages each lane has had so far.
    var outages: [Int] { state.withLock { $0.lanes.map(\.outages) } }

    /// Notes that an append failed before it was queued, because the server was away: what the producer hands over
    /// behind it must not be stored in its place.
    func noteOutage(in lane: Int) { state.withLock { $0.lanes[lane].outages += 1 } }

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
                // Those queued after a large one that gave up may fit.
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

    /// Puts a parcel, for which room was reserved, at the end of a lane, and wakes the lane's writer.
    ///
    /// - Parameter outages: How many the lane had had when the producer came: if there was another since, what the
    ///   producer handed over before has failed, and this must not be stored in its place.
    /// - Returns: The id by which ``cancel(_:)`` finds it.
    /// - Throws: ``EventStoreError`` with `.closed` or `.unavailable`; then the parcel was not taken and its room is
    ///   given back.
    @discardableResult
    func put(_ parcel: AppendParcel, in lane: Int = 0, since outages: Int? = nil) throws -> UInt64 {
        let (id, writer, bell) = try state.withLock { state in
            let hasFailed = outages.map { $0 != state.lanes[lane].outages } ?? false
            guard !state.isClosed, !hasFailed else {
                state.size -= parcel.size
                throw state.isClosed ? Self.closed : Self.failedBefore
            }
            state.lastID += 1
            state.lanes[lane].put(parcel, id: state.lastID)
            // If a writer has the lane, it looks again when it gives it back.
            let writer = state.lanes[lane].isFree ? state.lanes[lane].writer.take() : nil
            return (state.lastID, writer, state.dueBell())
        }
        writer?.resume()
        bell?.raise()
        return id
    }

    /// Takes back a parcel that no writer has taken yet.
    ///
    /// - Returns: The parcel, or `nil` if a writer has it.
    func cancel(_ id: UInt64) -> AppendParcel? {
        let (parcel, admitted) = state.withLock { state -> (AppendParcel?, [Blocked]) in
            for lane in state.lanes.indices {
                guard let parcel = state.lanes[lane].remove(id) else { continue }
                state.size -= parcel.size
                return (parcel, admit(&state))
            }
            return (nil, [])
        }
        for producer in admitted { producer.continuation.resume() }
        return parcel
    }

    /// How many parcels wait for a writer.
    var queuedParcels: Int { state.withLock { $0.lanes.reduce(0) { $0 + $1.count } } }

    /// How many producers wait for room.
    var blockedProducers: Int { state.withLock { $0.blocked.count } }

    private func reserve(_ size: Int, in state: inout State) -> Bool {
        guard state.size == 0 || state.size + size <= capacity else { return false }
        state.size += size
        return true
    }

    /// Gives room to waiting producers in their order, as far as it lasts.
    func admit(_ state: inout State) -> [Blocked] {
        var admitted = 0
        while admitted < state.blocked.count, reserve(state.blocked[admitted].size, in: &state) { admitted += 1 }
        guard admitted > 0 else { return [] }
        defer { state.blocked.removeFirst(admitted) }
        return Array(state.blocked[..<admitted])
    }

    // MARK: Ending

    /// Refuses new parcels; what is queued can still be taken.
    func close() {
        let (blocked, writers) = state.withLock { state in
            state.isClosed = true
            defer { state.blocked = [] }
            return (state.blocked, state.lanes.indices.compactMap { state.lanes[$0].writer.take() })
        }
        for producer in blocked { producer.continuation.resume(throwing: Self.closed) }
        for writer in writers { writer.resume() }
    }

    /// Takes everything that is left, for writers that cannot go on.
    func drain() -> [AppendParcel] {
        state.withLock { state in
            let left = state.lanes.indices.flatMap { state.lanes[$0].take(upTo: .max) }
            for parcel in left { state.size -= parcel.size }
            return left
        }
    }

    private static let failedBefore = EventStoreError(
        .unavailable,
        "the database could not be reached, and what was handed over before has failed: append the same events again, with "
            + "the same ids, to learn whether they were stored"
    )

    private static let closed = EventStoreError(.closed, "the appender is closed: nothing was stored, make a new one")
}
