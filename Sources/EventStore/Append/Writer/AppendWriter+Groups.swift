internal import EventModel
internal import Postgres

/// Writes a group: together if possible, otherwise in ever smaller parts until the append at fault is found.
extension AppendWriter {
    /// How often a group that loses races is tried whole before it is halved.
    private static let groupAttempts = 3
    /// How often an append that keeps losing alone is tried before there are pauses.
    private static let quickAttempts = 20
    /// How often an append is tried alone while it waits for another session's transaction.
    private static let lockAttempts = 5

    static let blockedReason =
        "another transaction has appended to the stream, or made the event's type, and stays open: append the same events "
        + "again when it has ended"
    private static let lostReason =
        "the versions that the append's events were to get were taken each time: append the same events again"

    /// The error's text when a lock outlasts the patience.
    private var lockedReason: String {
        "a table of the log was locked by another session for longer than \(limits.patience), such as by a repair or DDL: append "
            + "the same events again when that has ended"
    }

    /// Stores what it can of a group and settles it.
    ///
    /// - Returns: The requests left unsettled because the connection broke.
    mutating func write(
        _ group: AppendAttempt,
        on connection: isolated PostgresConnection
    ) async -> [AppendRequest] {
        var attempt = group
        while !attempt.open.isEmpty {
            if let defeat {
                settle(attempt.open, failed: defeat.code, defeat.cause, defeat.reason)
                return []
            }
            do {
                try await write(&attempt, on: connection)
            } catch {
                switch await next(for: &attempt, after: error, on: connection) {
                case .again: continue
                case .halves: return await writeHalves(attempt.open, on: connection)
                case .reconnect: return attempt.open
                case .settled: return []
                }
            }
        }
        return []
    }

    /// Decides about a group and stores what can be stored now in one transaction.
    mutating func write(_ attempt: inout AppendAttempt, on connection: isolated PostgresConnection) async throws {
        let (round, statement): AppendAttempt.Decided
        if let decided = attempt.decided.take() {
            (round, statement) = decided
        } else {
            try await checkPacked(&attempt, on: connection)
            try await internTypes(of: attempt.open, on: connection)
            let unknown = unknownStreams(of: attempt.open)
            try await read(attempt.stale.union(unknown), fresh: &attempt.fresh, on: connection)
            round = AppendRound(attempt.open, heads: &heads, types: types, fresh: attempt.fresh)
            statement = round.statement
        }
        // From here on only these are open: whatever happens to them, the settled ones are told once.
        attempt.open = round.open
        if !round.settled.isEmpty { onSettled(round.settled) }
        if round.count > 0 {
            // What else was taken, or waits for this round, comes before the next group.
            let looksAhead = round.later.isEmpty && !attempt.isPart
            try await store(round, by: statement, looksAhead: looksAhead, on: connection)
        }
        attempt.open = round.later
        attempt.stale = round.stale
        trouble = nil
    }

    /// Stores what was decided. Meanwhile it reports what was stored before, and looks ahead, if that is allowed.
    private mutating func store(
        _ round: AppendRound,
        by statement: InsertEvents,
        looksAhead: Bool,
        on connection: isolated PostgresConnection
    ) async throws {
        do {
            let positions = try await connection.query(statement) { answer in
                reportStored()
                if looksAhead { lookAhead(while: answer) }
            }
            reportStored()
            lookout.stored = (round.count, round.finish(positions, heads: &heads))
            // The next group is sent first, if it is ready: that the server has something to do comes before telling.
            if lookout.next?.decided == nil { reportStored() }
        } catch {
            reportStored()
            lookout.next?.decided?.round.abandon(heads: &heads)
            lookout.next?.decided = nil
            round.abandon(heads: &heads)
            throw error
        }
    }

    /// What to do next with a group that failed.
    private enum Next {
        /// Decide about it again.
        case again
        /// Halve it: one of its appends is at fault or waits, and the others must not fail or wait with it.
        case halves
        /// Go on with it on a new connection.
        case reconnect
        /// Nothing: all of it has been settled.
        case settled
    }

    private mutating func next(
        for attempt: inout AppendAttempt,
        after error: any Error,
        on connection: isolated PostgresConnection
    ) async -> Next {
        let isAlone = attempt.open.count == 1
        switch AppendFault(error) {
        case .lostRace:
            attempt.conflicts += 1
            guard attempt.conflicts < Self.groupAttempts || isAlone else { return .halves }
            // Others were faster, or a session that starts was not new.
            trustsStarts = false
            attempt.readAgain()
            // An append that loses so often alone may be losing to something that will not go away.
            if attempt.conflicts >= Self.quickAttempts, await !pause(after: error) {
                settle(attempt.open, failed: .unavailable, error, Self.lostReason)
                trouble = nil
                return .settled
            }
            return .again
        case .blocked:
            guard isAlone else { return .halves }
            attempt.lockWaits += 1
            guard attempt.lockWaits < Self.lockAttempts else {
                blocked.note(attempt.open, known: types)
                settle(attempt.open, failed: .unavailable, error, Self.blockedReason)
                return .settled
            }
            attempt.decideAgain()
            return .again
        case .locked:
            // Everybody waits for that lock, so trying appends apart would not help.
            attempt.decideAgain()
            guard await pause(after: error) else {
                giveUp(attempt.open, Defeat(cause: error, code: .unavailable, reason: lockedReason))
                return .settled
            }
            return .again
        case .unreachable:
            heads.removeAll()
            attempt.decideAgain()
            guard await pause(after: error) else {
                giveUp(attempt.open, Defeat(cause: error, code: .unavailable))
                return .settled
            }
            return connection.isOpen ? .again : .reconnect
        case .cancelled:
            heads.removeAll()
            settle(attempt.open, failed: .unavailable, error)
            return .settled
        case .refused:
            guard isAlone else { return .halves }
            // The failure may have come after the commit: check before reporting that nothing was stored.
            guard !attempt.wasRefused else {
                settle(attempt.open, failed: .refused, error)
                return .settled
            }
            attempt.wasRefused = true
            heads.removeAll()
            attempt.decideAgain()
            return connection.isOpen ? .again : .reconnect
        }
    }

    private mutating func writeHalves(
        _ requests: [AppendRequest],
        on connection: isolated PostgresConnection
    ) async -> [AppendRequest] {
        let middle = requests.count / 2
        let open = await write(AppendAttempt(Array(requests[..<middle]), isPart: true), on: connection)
        guard open.isEmpty else { return open + requests[middle...] }
        return await write(AppendAttempt(Array(requests[middle...]), isPart: true), on: connection)
    }
}
