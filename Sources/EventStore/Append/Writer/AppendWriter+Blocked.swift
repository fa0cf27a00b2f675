internal import EventModel
internal import Postgres

/// Retries appends that waited in vain for another session's open transaction.
extension AppendWriter {
    /// Tries such appends once more, stream by stream, the least recently tried first. The first failed wait ends the
    /// round, so nobody else waits longer than that; the untried ones get their turn in one of the next groups.
    ///
    /// - Returns: The requests left unsettled because the connection broke.
    mutating func tryAgain(
        _ waiting: [AppendRequest],
        on connection: isolated PostgresConnection
    ) async -> [AppendRequest] {
        var waiting = waiting
        while !waiting.isEmpty {
            if let defeat {
                settle(waiting, failed: defeat.code, defeat.cause, defeat.reason)
                return []
            }
            let turn = blocked.takeTurn(from: &waiting)
            var attempt = AppendAttempt(turn, isPart: true)
            do {
                while !attempt.open.isEmpty { try await write(&attempt, on: connection) }
                blocked.forget(turn)
            } catch  where AppendFault(error) == .blocked {
                blocked.note(attempt.open, known: types)
                blocked.keep(waiting)
                settle(attempt.open + waiting, failed: .unavailable, error, Self.blockedReason)
                return []
            } catch {
                let open = await write(AppendAttempt(attempt.open, isPart: true), on: connection)
                guard open.isEmpty else { return open + waiting }
            }
        }
        return []
    }
}
