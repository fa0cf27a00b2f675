package import FoundationEssentials
package import Postgres

/// What an operator sees of the caches and does to them.
package struct CacheAdministration: Sendable {
    /// What lies in one cache's table.
    package struct TableFigures: Sendable {
        package let kind: CacheKind
        package let rows: Int
        /// Rows that are not served any more and wait for the sweep.
        package let expired: Int
        /// Hits in memory of the rows that are there, of all processes. What is found in the table is counted for the
        /// process alone, so that a row is not written whenever it is read.
        package let hits: Int
        /// With indexes.
        package let bytes: Int
        package let oldest: PostgresTimestamp?
        package let newest: PostgresTimestamp?
    }

    /// What one process's cache did, as it last said.
    package struct ProcessFigures: Sendable {
        package let name: String
        package let figures: CacheFigures
        package let startedAt: PostgresTimestamp
        package let reportedAt: PostgresTimestamp
    }

    private let pool: PostgresPool

    /// - Parameter pool: Its connections' search path has the schema first.
    package init(_ pool: PostgresPool) { self.pool = pool }

    /// What lies in the tables.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    package func tables() async throws -> [TableFigures] { try await rows(SelectTables(), "the caches cannot be read") }

    /// What the processes of the last day said.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    package func processes() async throws -> [ProcessFigures] {
        try await rows(SelectProcesses(), "the caches' figures cannot be read")
    }

    /// Empties caches, in the database and in every process's memory.
    ///
    /// - Parameters:
    ///   - kind: Which; all if `nil`. Embeddings belong to nobody and go only where no user is named.
    ///   - user: Whose; everybody's if `nil`.
    /// - Returns: How many rows went, by kind.
    /// - Throws: ``CacheError`` with `.invalidArgument` for embeddings of a user; `CancellationError`.
    package func clear(kind: CacheKind? = nil, user: UUID? = nil) async throws -> [(kind: CacheKind, rows: Int)] {
        if kind == .embedding, user != nil {
            throw CacheError(.invalidArgument, "embeddings belong to no user: clear all of them, or another kind")
        }
        return try await rows(ClearCache(kind: kind, user: user), "the caches cannot be cleared")
    }

    /// Deletes rows that have expired, and buckets of limits that idle.
    ///
    /// - Parameter batch: How many rows of a table one transaction deletes at most.
    /// - Returns: How many rows.
    /// - Throws: ``CacheError``; `CancellationError`.
    package func sweep(batch: Int = 1_000) async throws -> Int {
        var total = 0
        while true {
            let counts = try await sweepCaches(batch: batch)
            total += counts.reduce(0, +)
            guard counts.contains(where: { $0 >= batch }) else { break }
        }
        while true {
            let count = try await rows(SweepLimits(batch: batch), "idle limits cannot be deleted").first ?? 0
            total += count
            guard count >= batch else { return total }
        }
    }

    /// Deletes rows that have expired, one batch of each table.
    ///
    /// - Parameter batch: How many rows of a table go at most.
    /// - Returns: How many rows, by table; as many as a batch has if there may be more.
    /// - Throws: ``CacheError``; `CancellationError`.
    package func sweepCaches(batch: Int) async throws -> [Int] {
        try await rows(SweepCaches(batch: batch), "expired rows cannot be deleted")
    }

    private func rows<S: PostgresStatement>(_ statement: S, _ what: String) async throws -> [S.Row] {
        do {
            return try await pool.query(statement)
        } catch let error as PostgresError {
            throw CacheError(error, what)
        }
    }
}
