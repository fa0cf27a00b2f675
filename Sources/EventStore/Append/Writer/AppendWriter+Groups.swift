internal import EventModel
internal import Postgres

/// How a group is written: together if that can be, and in ever smaller parts
/// until the append is found that is at fault.
extension AppendWriter {
    /// How often a group that loses against other writers is tried together before it is halved.
    private static let groupAttempts = 3
    /// How often an append that loses alone is tried at once.
    private static let quickAttempts = 20
    /// How often an append that waits for another session's transaction is tried alone.
    private static let lockAttempts = 5

    static let blockedReason =
        "another transaction has appended to the stream, or made the event's type, and stays open: append the same events "
        + "again when it has ended"
    private static let lostReason =
        "the versions that the append's events were to get were taken each time: append the same events again"

    /// What is said when a lock outlasts the patience.
    private var lockedReason: String {
        "a table of the log was locked by another session for longer than \(limits.patience), such as by a repair or DDL: append "
            + "the same events again when that has ended"
    }

    /// Stores what can be stored of a group and settles it.
    ///
    /// - Returns: What is not settled because the connection broke.
    mutating func write(
        _ group: [AppendRequest],
        on connection: isolated PostgresConnection
    ) async -> [AppendRequest] {
        var attempt = AppendAttempt(group)
        while !attempt.open.isEmpty {
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

    /// Decides about a group and stores in one transaction what is to be stored now.
    mutating func write(_ attempt: inout AppendAttempt, on connection: isolated PostgresConnection) async throws {
        try await internTypes(of: attempt.open, on: connection)
        try await read(attempt.stale.union(unknownStreams(of: attempt.open)), fresh: &attempt.fresh, on: connection)
        let round = AppendRound(attempt.open, heads: &heads, types: types, fresh: attempt.fresh)
        // From here on only these are open: whatever happens to the others' neighbours, they are told once.
        attempt.open = round.open
        if !round.settled.isEmpty { tell(round.settled) }
        if round.count > 0 {
            do {
                let positions = try await connection.query(round.statement)
                written(round.count)
                tell(round.finish(positions, heads: &heads))
            } catch {
                round.abandon(heads: &heads)
                throw error
            }
        }
        attempt.open = round.later
        attempt.stale = round.stale
        trouble = nil
    }

    /// What comes next for a group that failed.
    private enum Next {
        /// It is decided about again.
        case again
        /// One of its appends is at fault, or waits: the others must not fail or wait with it.
        case halves
        /// It goes on when there is a connection.
        case reconnect
        /// Everything in it was told how it ended.
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
            // Others were faster, or a session was not new.
            trustsStarts = false
            attempt.readAgain()
            // Whoever loses so often alone may have lost against something that stays.
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
            // Everybody waits for that, so nobody is tried apart.
            attempt.decideAgain()
            guard await pause(after: error) else {
                settle(attempt.open, failed: .unavailable, error, lockedReason)
                trouble = nil
                return .settled
            }
            return .again
        case .unreachable:
            heads.removeAll()
            attempt.decideAgain()
            guard await pause(after: error) else {
                settle(attempt.open, failed: .unavailable, error)
                trouble = nil
                return .settled
            }
            return connection.isOpen ? .again : .reconnect
        case .cancelled:
            heads.removeAll()
            settle(attempt.open, failed: .unavailable, error)
            return .settled
        case .refused:
            guard isAlone else { return .halves }
            // What failed may have been something behind the commit: whoever says that nothing was stored has looked.
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
        let open = await write(Array(requests[..<middle]), on: connection)
        guard open.isEmpty else { return open + requests[middle...] }
        return await write(Array(requests[middle...]), on: connection)
    }
}
