internal import FoundationEssentials
internal import Postgres

/// The figures of each cache's table.
struct SelectTables: PostgresStatement {
    let sql = "select kind, rows, expired, hits, bytes, oldest, newest from cache_table_figures()"

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> CacheAdministration.TableFigures {
        CacheAdministration.TableFigures(
            kind: try row.cacheKind(at: 0),
            rows: try row.decode(at: 1),
            expired: try row.decode(at: 2),
            hits: try row.decode(at: 3),
            bytes: try row.decode(at: 4),
            oldest: try row.decode(at: 5),
            newest: try row.decode(at: 6)
        )
    }
}

/// What each process's caches have done.
struct SelectProcesses: PostgresStatement {
    let sql = """
        select kind, name, memory_hits, table_hits, misses, joined, refreshed, evicted, failed, entries, bytes,
            started_at, reported_at
        from cache_statistics order by name, process, kind
        """

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> CacheAdministration.ProcessFigures {
        CacheAdministration.ProcessFigures(
            name: try row.decode(at: 1),
            figures: CacheFigures(
                kind: try row.cacheKind(at: 0),
                memoryHits: try row.decode(at: 2),
                tableHits: try row.decode(at: 3),
                misses: try row.decode(at: 4),
                joined: try row.decode(at: 5),
                refreshed: try row.decode(at: 6),
                evicted: try row.decode(at: 7),
                failed: try row.decode(at: 8),
                entries: try row.decode(at: 9),
                bytes: try row.decode(at: 10)
            ),
            startedAt: try row.decode(at: 11),
            reportedAt: try row.decode(at: 12)
        )
    }
}

/// Empties caches.
struct ClearCache: PostgresStatement {
    let kind: CacheKind?
    let user: UUID?

    let sql = "select cleared, rows from clear_cache($1, $2)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(kind?.rawValue)
        try parameters.append(user)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (kind: CacheKind, rows: Int) {
        (try row.cacheKind(at: 0), try row.decode(at: 1))
    }
}

/// Deletes one batch of each table's expired rows.
struct SweepCaches: PostgresStatement {
    let batch: Int

    let sql = "select rows from sweep_caches($1)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(Int32(clamping: batch))
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int { try row.decode(at: 0) }
}

/// Deletes one batch of idle buckets.
struct SweepLimits: PostgresStatement {
    let batch: Int

    let sql = "select sweep_rate_limits($1)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(Int32(clamping: batch))
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int { try row.decode(at: 0) }
}

extension PostgresRow {
    /// A cache's kind, by its name in the database.
    fileprivate func cacheKind(at column: Int) throws(PostgresError) -> CacheKind {
        let name = try decode(String.self, at: column)
        guard let kind = CacheKind(rawValue: name) else {
            throw PostgresError(
                .decoding,
                "the database has a cache of kind '\(name)', which this program does not know"
            )
        }
        return kind
    }
}
