internal import Postgres
internal import Synchronization

/// What writers do with the queue.
extension AppendQueue {
    /// Lanes with at most this many events are written together: 64 producers that wait for each acknowledgement share
    /// one commit, while thousands of events have two commits on their way at once.
    static let mostEventsTogether = 128

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

    /// Takes everything that is queued in the lanes that a writer has, because it gave up on the server: if it could be
    /// stored a moment later, it would stand before what has just failed, when that is repeated.
    func takeFailed(_ heads: borrowing StreamHeads) -> [AppendParcel] {
        let (parcels, admitted) = state.withLock { state -> ([AppendParcel], [Blocked]) in
            var parcels: [AppendParcel] = []
            for lane in state.lanes.indices where heads.isHeld(lane) { parcels += state.lanes[lane].takeFailed() }
            for parcel in parcels { state.size -= parcel.size }
            return (parcels, admit(&state))
        }
        for producer in admitted { producer.continuation.resume() }
        return parcels
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

    // MARK: Looking ahead

    /// Whether a writer that has all lanes could take so many events more. If not, a signal is raised as soon as it
    /// could.
    func has(_ events: Int, orRaises signal: WakeSignal) -> Bool {
        state.withLock { state in
            if state.events >= events { return true }
            state.bell = (signal, events)
            return false
        }
    }

    /// Makes sure that no signal is raised any more, except by a producer that is just doing so.
    func forgetBell() { state.withLock { $0.bell = nil } }

    /// Takes what is queued in the lanes that a writer has, without giving them back.
    ///
    /// - Parameters:
    ///   - limit: About how many events to take from a lane.
    ///   - heads: What the writer knows.
    /// - Returns: Nothing if it has to give them back first: others should write some of it, or what it knows is out of
    ///   date.
    func takeMore(upTo limit: Int, heads: borrowing StreamHeads) -> [AppendParcel] {
        let (parcels, admitted) = state.withLock { state -> ([AppendParcel], [Blocked]) in
            guard heads.generation == state.generation, state.events <= Self.mostEventsTogether else { return ([], []) }
            var parcels: [AppendParcel] = []
            for lane in state.lanes.indices where heads.isHeld(lane) { parcels += state.lanes[lane].take(upTo: limit) }
            for parcel in parcels { state.size -= parcel.size }
            return (parcels, admit(&state))
        }
        for producer in admitted { producer.continuation.resume() }
        return parcels
    }
}
