internal import Synchronization

/// Queues appends from many producers for a few writers, in bounded memory; those to one stream first in, first out.
///
/// A producer reserves room before it packs a parcel. If there is none it waits; producers get room in the order in
/// which they came. Streams are divided into lanes, and a writer takes whole lanes: its own, and the others' too while
/// there is little to write.
final class AppendQueue: Sendable {
    private struct Blocked {
        let id: UInt64
        let size: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var lanes: [AppendLane]
        /// How many bytes are queued or reserved.
        var size = 0
        var lastID: UInt64 = 0
        var blocked: [Blocked] = []
        var isClosed = false
        /// How often all stream heads were forgotten.
        var generation = 0
    }

    private let state: Mutex<State>
    private let capacity: Int

    /// Lanes with at most this many events are written together: 64 producers that wait for each acknowledgement share
    /// one commit, while thousands of events have two commits on their way at once.
    private static let mostEventsTogether = 128

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
    /// - Parameter size: How many bytes. They are given back by ``release(_:)``, or when a writer takes the parcel put
    ///   in by ``put(_:in:)``.
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
    /// - Returns: The id by which ``cancel(_:)`` finds it.
    /// - Throws: ``EventStoreError`` with `.closed`; then the parcel was not taken and its room is given back.
    @discardableResult
    func put(_ parcel: AppendParcel, in lane: Int = 0) throws -> UInt64 {
        let (id, writer) = try state.withLock { state in
            guard !state.isClosed else {
                state.size -= parcel.size
                throw Self.closed
            }
            state.lastID += 1
            state.lanes[lane].put(parcel, id: state.lastID)
            // If a writer has the lane, it looks again when it gives it back.
            return (state.lastID, state.lanes[lane].isFree ? state.lanes[lane].writer.take() : nil)
        }
        writer?.resume()
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
    private func admit(_ state: inout State) -> [Blocked] {
        var admitted = 0
        while admitted < state.blocked.count, reserve(state.blocked[admitted].size, in: &state) { admitted += 1 }
        guard admitted > 0 else { return [] }
        defer { state.blocked.removeFirst(admitted) }
        return Array(state.blocked[..<admitted])
    }

    // MARK: Writers

    /// What a writer gets when it looks, and which others to wake because of that.
    private struct Turn: Sendable {
        var parcels: [AppendParcel] = []
        var isDone = false
        var admitted: [Blocked] = []
        var writers: [CheckedContinuation<Void, Never>] = []
    }

    /// Gives back the lanes that a writer has, then takes what is queued in its own lane, and in others that are free
    /// and hold few events. Waits if there is nothing.
    ///
    /// - Parameters:
    ///   - limit: About how many events to take from a lane.
    ///   - home: The writer's own lane.
    ///   - heads: What the writer knows; the lanes that it gets are its own until it takes again.
    /// - Returns: At least one parcel; none if the queue is closed and everything was taken, or the task was cancelled.
    func take(upTo limit: Int, for home: Int, heads: inout StreamHeads) async -> [AppendParcel] {
        while true {
            let turn = state.withLock { nextTurn(&$0, upTo: limit, for: home, &heads) }
            for producer in turn.admitted { producer.continuation.resume() }
            for writer in turn.writers { writer.resume() }
            if !turn.parcels.isEmpty || turn.isDone { return turn.parcels }
            await waitForTurn(home)
        }
    }

    private func nextTurn(
        _ state: inout State,
        upTo limit: Int,
        for home: Int,
        _ heads: inout StreamHeads
    ) -> Turn {
        var turn = Turn()
        giveBack(&heads, to: &state)
        turn.isDone = Task.isCancelled || state.isClosed && state.lanes[home].isFree && state.lanes[home].isEmpty
        for lane in lanes(for: home, of: state) {
            guard let own = state.lanes[lane].heads.take() else { continue }
            heads.hold(own, of: lane, generation: state.generation)
            turn.parcels += state.lanes[lane].take(upTo: limit)
        }
        for parcel in turn.parcels { state.size -= parcel.size }
        turn.admitted = admit(&state)
        turn.writers = readyWriters(&state)
        return turn
    }

    /// Gives back the lanes that a writer has, when it will take no more.
    func giveBack(_ heads: inout StreamHeads) {
        let writers = state.withLock { state in
            giveBack(&heads, to: &state)
            return readyWriters(&state)
        }
        for writer in writers { writer.resume() }
    }

    private func giveBack(_ heads: inout StreamHeads, to state: inout State) {
        for lane in state.lanes.indices {
            guard var own = heads.giveBack(lane) else { continue }
            if heads.generation != state.generation { own.removeAll() }
            state.lanes[lane].heads = own
        }
    }

    /// Forgets all stream heads, because a connection was lost: the next one may lead to another server, which lacks
    /// events that the old one acknowledged, and nothing must be stored on top of those. Lanes that a writer has are
    /// emptied when they come back.
    func forgetHeads() {
        state.withLock { state in
            state.generation += 1
            for lane in state.lanes.indices { state.lanes[lane].heads?.removeAll() }
        }
    }

    /// The waiting writers that can have their lane now.
    private func readyWriters(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        state.lanes.indices.compactMap { lane in
            state.lanes[lane].isReady(whenClosed: state.isClosed) ? state.lanes[lane].writer.take() : nil
        }
    }

    /// The lanes that a writer can have now, its own first; none if there is nothing in them.
    private func lanes(for home: Int, of state: State) -> [Int] {
        guard state.lanes[home].isFree else { return [] }
        var lanes = [home]
        var events = state.lanes[home].events
        for (number, lane) in state.lanes.enumerated() where number != home && lane.isFree {
            guard lane.lastTaken <= Self.mostEventsTogether, events + lane.events <= Self.mostEventsTogether else {
                continue
            }
            lanes.append(number)
            events += lane.events
        }
        return events > 0 ? lanes : []
    }

    private func waitForTurn(_ home: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if Task.isCancelled || state.lanes[home].isReady(whenClosed: state.isClosed) { return true }
                    state.lanes[home].writer = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in state.lanes[home].writer.take() }?.resume()
        }
    }

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
    private static let closed = EventStoreError(.closed, "the appender is closed: nothing was stored, make a new one")
}
