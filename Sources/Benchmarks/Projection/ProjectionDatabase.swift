internal import Postgres

/// A database with a log, the same events in the plain table, and read models that can be emptied again.
struct ProjectionDatabase {
    let configuration: PostgresConfiguration
    let connection: PostgresConnection
    /// How many events there are.
    let events: Int

    /// The read models that are rebuilt and compared.
    static let readModels = [
        "conversation_sessions", "conversation_turns", "conversation_costs", "audit_logs", "latency_metrics",
    ]

    /// Fills a database, and drops it when `body` is done.
    static func with<R>(
        _ run: BenchmarkRun,
        _ body: (ProjectionDatabase) async throws -> R
    ) async throws -> R {
        let rows = try PlainTable.rows(run.input.lines)
        return try await run.server.withDatabase(.recorder) { configuration in
            try await PostgresConnection.with(configuration) { connection in
                // Some calls then have a cost to compute, as in practice.
                try await connection.run(
                    unsafeSQL: """
                        insert into model_prices (model, kind, usd_per_token)
                        select model, kind, price from (
                            values ('claude-haiku-4-5-20251001', 1), ('claude-sonnet-4-20250514', 3),
                                   ('claude-sonnet-4-5-20250929', 3)
                        ) as models(model, factor)
                        cross join lateral (
                            values ('input', 1e-6 * factor), ('input_cache_read', 1e-7 * factor), ('output', 5e-6 * factor)
                        ) as prices(kind, price)
                        """
                )
                try await Producers.append(run.input.shares(run.options.producers), inFlight: 16, to: configuration)
                try await PlainTable.create(on: connection)
                try await PlainTable.copy(rows, on: connection)
                try await PlainReadModels.create(on: connection)
                try await connection.run(unsafeSQL: "vacuum analyze")
                return try await body(
                    ProjectionDatabase(configuration: configuration, connection: connection, events: rows.count)
                )
            }
        }
    }

    /// Measures how fast a process makes the read models of all events, from empty tables, beside SQL that builds them
    /// with one statement each.
    ///
    /// - Parameters:
    ///   - name: The benchmark's name.
    ///   - settings: What the measurement was made with, besides the events and the limit.
    ///   - work: Makes the read models.
    static func measure(
        _ name: String,
        in run: BenchmarkRun,
        settings: [String: String],
        _ work: (String, PostgresConfiguration) async throws -> MeasuredProcess
    ) async throws -> [Measurement] {
        let (count, rounds) = try await with(run) { database in
            let rounds = try await run.rounds(name) {
                try await database.forget()
                return try await work(run.options.program, database.configuration).duration
            } against: {
                try await database.limit()
            }
            return (Double(database.events), rounds)
        }
        return [
            .rate(
                name,
                rounds.map { (count / $0.value.seconds, $0.limit) },
                settings: settings.merging([
                    "events": "\(Int(count))",
                    "limit": "INSERT … SELECT … GROUP BY for each read model, from jsonb",
                ]) { given, _ in given }
            )
        ]
    }

    /// Empties the read models and deletes their checkpoints, and flushes all of that to disk.
    func forget() async throws {
        let tables =
            try await connection.text(
                unsafeSQL: """
                    select string_agg(quote_ident(relname), ', ') from pg_class
                    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and relname ~ '_v1$'
                        and not relispartition
                    """
            ).first?.first ?? nil
        guard let tables else { throw BenchmarkError(.input, "the database holds no read models") }
        try await connection.run(unsafeSQL: "truncate \(tables); delete from projection_checkpoints")
        try await connection.run(unsafeSQL: "checkpoint")
    }

    /// Builds the plain read models.
    ///
    /// - Returns: Events a second.
    func limit() async throws -> Double {
        try await connection.run(unsafeSQL: "checkpoint")
        return Double(events) / (try await PlainReadModels.build(on: connection)).seconds
    }
}
