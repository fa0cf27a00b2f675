package import FoundationEssentials
package import Postgres

/// Lets an operator see, clear and sweep the caches.
package struct CacheAdministration: Sendable {
    /// The figures of one cache's table.
    package struct TableFigures: Sendable {
        package let kind: CacheKind
        package let rows: Int
        /// Rows that are no longer served and wait for the sweep.
        package let expired: Int
        /// Memory hits of the rows in the table, summed over all processes. Hits in the table are counted only in each
        /// process's figures, so that reading a row does not write it.
        package let hits: Int
        /// Including indexes.
        package let bytes: Int
        package let oldest: PostgresTimestamp?
        package let newest: PostgresTimestamp?
    }

    /// What one process's cache has done, as it last reported.
    package struct ProcessFigures: Sendable {
        package let name: String
        package let figures: CacheFigures
        package let startedAt: PostgresTimestamp
        package let reportedAt: PostgresTimestamp
    }

    private let pool: PostgresPool

    /// - Parameter pool: Its connections' search path has the schema first.
    package init(_ pool: PostgresPool) { self.pool = pool }

    /// The figures of all tables.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    package func tables() async throws -> [TableFigures] { try await rows(SelectTables(), "the caches cannot be read") }

    /// The figures that each process last reported; the sweep deletes those older than a day.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    package func processes() async throws -> [ProcessFigures] {
        try await rows(SelectProcesses(), "the caches' figures cannot be read")
    }

    /// Empties caches, in the database and in every process's memory.
    ///
    /// - Parameters:
    ///   - kind: Which cache; all if `nil`. Embeddings belong to nobody, and are cleared only if no user is given.
    ///   - user: Whose values; everybody's if `nil`.
    /// - Returns: How many rows were deleted, by kind.
    /// - Throws: ``CacheError`` with `.invalidArgument` for embeddings of a user; `CancellationError`.
    package func clear(kind: CacheKind? = nil, user: UUID? = nil) async throws -> [(kind: CacheKind, rows: Int)] {
        if kind == .embedding, user != nil {
            throw CacheError(.invalidArgument, "embeddings belong to no user: clear all of them, or another kind")
        }
        return try await rows(ClearCache(kind: kind, user: user), "the caches cannot be cleared")
    }

    /// Deletes expired rows, and idle buckets of rate limits.
    ///
    /// - Parameter batch: The most rows of a table that one transaction deletes.
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

    /// Deletes expired rows, one batch of each table.
    ///
    /// - Parameter batch: The most rows to delete from a table.
    /// - Returns: How many rows were deleted, by table; a full batch if there may be more.
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
