internal import Postgres

/// The batches of a plan's projections, ready to be folded.
struct BuiltBatches: Sendable {
    /// For each projection, the statements that fold its batch; none for one that gets nothing.
    let statements: [[ApplyStatement]]
    /// The events that a projection cannot take; later events of their streams are not in its batch.
    let failures: [(projection: Int, failing: FailingEvent)]
    /// For each projection and each of its shards, how many events it handles, including those that it cannot take.
    let taken: [[Int]]
    /// The rows for the plan's table; `nil` if the statements take parameters instead.
    let rows: BatchRows?
    let table: BatchTable?

    /// Copies the rows to the table, if the statements read it; call it before they run, in their transaction.
    func load(on connection: isolated PostgresConnection) async throws {
        guard let rows, let table else { return }
        try await connection.run(unsafeSQL: table.creation)
        try await connection.copyIn(unsafeSQL: "pg_temp.\(table.name)") { writer in
            try writer.rows(encoded: rows.buffer)
        }
    }
}
