package import Postgres

/// Adapts a log that was restored from another cluster's dump to this cluster.
///
/// Runs the server's function `repair_restored_log` in one transaction. It rewrites transaction ids and checkpoints so
/// that each projection has received what it had received at the time of the dump: no event is missing and none comes
/// twice. Readers go on meanwhile; appenders and projectors wait. It leaves a row in `log_repairs`.
package struct RestoredLogRepair: Sendable {
    /// What a repair did, from its row in `log_repairs`.
    package struct Outcome: Sendable, Hashable {
        package let id: Int64
        /// `adopted` if the ids were sound here and only the new cluster was noted, otherwise `rewritten`.
        package let action: String
        /// The codes of the evidence that the log came from elsewhere.
        package let evidence: [String]
        /// How many events got another transaction id.
        package let events: Int64
        /// How many checkpoint snapshots were rewritten.
        package let cursors: Int
        /// The positions of the log's first and last event.
        package let positions: ClosedRange<Int64>?
        /// The transaction ids that the events had before.
        package let transactions: ClosedRange<UInt64>?
    }

    /// The last position that came with the dump, if events were appended after it before the repair.
    package let restoredThrough: Int64?

    package init(restoredThrough: Int64? = nil) { self.restoredThrough = restoredThrough }

    /// Repairs the log.
    ///
    /// - Parameter connection: A session of a member of `recorder_owner`, in no transaction.
    /// - Returns: What was done; `nil` if the log belongs to this cluster.
    /// - Throws: ``EventStoreError`` with `.refused` if the restore lost the policies; `PostgresError`, with SQLSTATE
    ///   `RC004` if ``restoredThrough`` must be given.
    package func run(on connection: PostgresConnection) async throws -> Outcome? {
        guard try await connection.first(HasPolicies()) == true else {
            throw EventStoreError(
                .refused,
                "the restore left out what the recorder's roles may do; nothing was repaired: restore the roles first "
                    + "(pg_dumpall --roles-only), then the dump again, into an empty database"
            )
        }
        return try await connection.first(Repair(restoredThrough: restoredThrough))
    }

    private struct HasPolicies: PostgresStatement {
        let sql = """
            select to_regrole('recorder_owner') is not null
                and exists (select from pg_policy where polrelid = 'events'::regclass)
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
    }

    private struct Repair: PostgresStatement {
        let restoredThrough: Int64?

        let sql = """
            select id, action, evidence, events, cursors, first_position, last_position, first_transaction, last_transaction
            from repair_restored_log($1) where id is not null
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(restoredThrough)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Outcome {
            let positions = (try row.decode(Int64?.self, at: 5), try row.decode(Int64?.self, at: 6))
            let transactions = (
                try row.decode(PostgresXID8?.self, at: 7)?.value, try row.decode(PostgresXID8?.self, at: 8)?.value
            )
            return Outcome(
                id: try row.decode(at: 0),
                action: try row.decode(at: 1),
                evidence: try row.decode(at: 2),
                events: try row.decode(at: 3),
                cursors: Int(try row.decode(Int32.self, at: 4)),
                positions: Self.range(positions.0, positions.1),
                transactions: Self.range(transactions.0, transactions.1)
            )
        }

        private static func range<Bound: Comparable>(_ lower: Bound?, _ upper: Bound?) -> ClosedRange<Bound>? {
            guard let lower, let upper, lower <= upper else { return nil }
            return lower...upper
        }
    }
}
