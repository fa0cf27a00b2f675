internal import Postgres

/// Checks of cursors that were kept outside the database.
extension LogReader {
    /// Checks that a log can be read on from a cursor, before the first read on a connection. Costs one round trip.
    ///
    /// - Parameter connection: In no transaction.
    /// - Throws: ``EventStoreError`` with `.restoredLog` if the log came from elsewhere; with `.invalidCursor` if the
    ///   cursor has seen transactions that the database has not begun; ``PostgresError``.
    static func admit(_ cursor: LogCursor, on connection: PostgresConnection) async throws {
        let (evidence, now) = try await connection.pipeline(RestoredLog.SelectEvidence(), CurrentSnapshot())
        try RestoredLog.refuse(evidence)
        guard let now = now.first, cursor.isAhead(of: now.snapshot) else { return }
        throw EventStoreError(
            .invalidCursor,
            "the cursor has seen transactions that this database has not begun: it is of another cluster, or of a later state of "
                + "this one. Begin at the head or at the beginning, and reconcile by version"
        )
    }
}
