package import Postgres

/// A log that was restored from a logical dump of another cluster: its transaction ids and snapshots are that
/// cluster's, and say nothing about the order in this one.
package enum RestoredLog {
    /// A sign that the log came from another cluster.
    package struct Evidence: Sendable, Hashable {
        /// `system`, `transaction`, `checkpoint` or `sequence`.
        package let code: String
        /// What was found, as a clause.
        package let detail: String
    }

    /// Looks for evidence that the log came from elsewhere; empty if it belongs to this cluster. Reads a few index
    /// pages.
    ///
    /// - Throws: `PostgresError`.
    package static func evidence(on connection: PostgresConnection) async throws -> [Evidence] {
        try await connection.query(SelectEvidence())
    }

    /// Refuses a log that came from elsewhere. Readers with a cursor call this on each new connection, before the first
    /// read.
    ///
    /// - Throws: ``EventStoreError`` with `.restoredLog`, which says what to do; `PostgresError`.
    package static func refuse(on connection: PostgresConnection) async throws {
        try refuse(try await evidence(on: connection))
    }

    /// Refuses a log if there is evidence that it came from elsewhere.
    static func refuse(_ evidence: [Evidence]) throws {
        guard !evidence.isEmpty else { return }
        throw EventStoreError(
            .restoredLog,
            "the log was restored from a dump of another cluster, and its order cannot be told here: "
                + evidence.map(\.detail).joined(separator: "; ") + ". Run `recorder repair restored-log` first"
        )
    }

    /// Selects the evidence that the log came from elsewhere.
    struct SelectEvidence: PostgresStatement {
        let sql = "select code, detail from restored_log_evidence()"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Evidence {
            Evidence(code: try row.decode(at: 0), detail: try row.decode(at: 1))
        }
    }
}
