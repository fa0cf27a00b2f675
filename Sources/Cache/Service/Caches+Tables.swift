internal import FoundationEssentials
internal import Logging
internal import Metrics
internal import Postgres

extension Caches {
    /// Warms, then counts, reports and sweeps in turn until the task is cancelled.
    func keepTables() async {
        await tolerantly("warm") { _ = try await self.embeddings.warm(count: self.options.warmCount) }
        var nextReport = ContinuousClock.now
        var nextSweep = nextReport
        while !Task.isCancelled {
            if nextReport <= .now {
                nextReport = .now + options.reportInterval
                await report()
            }
            if nextSweep <= .now {
                nextSweep = .now + options.sweepInterval
                await tolerantly("sweep") { _ = try await self.sweep() }
            }
            try? await Task.sleep(until: min(nextReport, nextSweep))
        }
    }

    /// Counts the hits and reports what this process's caches have done, to the database and to swift-metrics.
    func report() async {
        for sweep in [embeddings.memory.sweep, searches.memory.sweep, responses.memory.sweep] { sweep(10_000) }
        await tolerantly("report") {
            try await self.embeddings.countHits()
            try await self.searches.countHits()
            try await self.responses.countHits()
            let name = "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)"
            let statements = self.figures.map { figures in
                ReportFigures(process: self.process, name: name, startedAt: self.startedAt, figures: figures)
            }
            try await self.pool.withConnection { _ = try await $0.pipeline(statements) }
        }
        for figures in figures {
            let kind = [("kind", figures.kind.rawValue)]
            Gauge(label: "recorder_cache_entries", dimensions: kind).record(figures.entries)
            Gauge(label: "recorder_cache_bytes", dimensions: kind).record(figures.bytes)
            for (level, hits) in [("memory", figures.memoryHits), ("table", figures.tableHits)] {
                Gauge(label: "recorder_cache_hits", dimensions: kind + [("level", level)]).record(hits)
            }
            Gauge(label: "recorder_cache_misses", dimensions: kind).record(figures.misses)
        }
    }

    /// Deletes expired rows, and idle buckets of rate limits.
    ///
    /// - Returns: How many rows.
    /// - Throws: `PostgresError`; `CancellationError`.
    @discardableResult
    package func sweep() async throws -> Int { try await CacheAdministration(pool).sweep(batch: options.sweepBatch) }

    private func tolerantly(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is CancellationError {
            // The service is ending.
        } catch {
            logger.warning("the caches' tables: cannot \(what) now", metadata: ["error": "\(error)"])
        }
    }
}

/// Reports what one cache of a process has done.
private struct ReportFigures: PostgresStatement {
    let process: UUID
    let name: String
    let startedAt: PostgresTimestamp
    let figures: CacheFigures

    let sql = """
        insert into cache_statistics (process, kind, name, memory_hits, table_hits, misses, joined, refreshed, evicted,
            failed, entries, bytes, started_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (process, kind) do update
        set (memory_hits, table_hits, misses, joined, refreshed, evicted, failed, entries, bytes, reported_at)
            = (excluded.memory_hits, excluded.table_hits, excluded.misses, excluded.joined, excluded.refreshed,
                excluded.evicted, excluded.failed, excluded.entries, excluded.bytes, excluded.reported_at)
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(process)
        try parameters.append(figures.kind.rawValue)
        try parameters.append(name)
        for figure in [
            figures.memoryHits, figures.tableHits, figures.misses, figures.joined, figures.refreshed, figures.evicted,
            figures.failed, figures.entries, figures.bytes,
        ] { try parameters.append(figure) }
        try parameters.append(startedAt)
    }
}
