internal import EventModel
internal import Postgres

/// `size.payload` and `size.disk`: how many bytes an event takes, against its JSON, and
/// against rows of `jsonb` with the same keys.
struct SizeBenchmark: Benchmark {
    private static let recorderSize = """
        select sum(pg_table_size(relid) + pg_indexes_size(relid))::bigint from pg_partition_tree('events')
        """

    /// The same keys and indexes as the log has.
    private static let plainSize = """
        select pg_table_size('plain_events') + pg_indexes_size('plain_events')
        """

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let count = Double(run.input.lines.count)
        let json = try run.input.lines.reduce(0) { sum, line in
            let event = try EventLine(line.json).event
            return sum + event.data.count + event.metadata.count
        }
        let rows = try PlainTable.rows(run.input.lines)
        let (payload, disk, stored) = try await run.server.withDatabase(.recorder) { database in
            try await Producers.append(run.input.shares(run.options.producers), inFlight: 16, to: database)
            let stored = try await PlainTable.stored(rows, in: database)
            let payload = try await Self.number("select sum(octet_length(payload)) from events", database)
            // The size of the BRIN index depends on whether it was summarized: vacuum does that.
            return (payload, try await Self.number("vacuum analyze events; \(Self.recorderSize)", database), stored)
        }
        let plain = try await run.server.withDatabase(.empty) { database in
            try await PostgresConnection.with(database) { connection in
                try await PlainTable.create(on: connection)
                try await PlainTable.copy(stored, on: connection)
            }
            return try await Self.number("vacuum analyze plain_events; \(Self.plainSize)", database)
        }
        return [
            Measurement(
                "size.payload",
                unit: "bytes/event",
                higherIsBetter: false,
                rounds: [(payload / count, Double(json) / count)],
                settings: ["events": "\(Int(count))", "limit": "the JSON of data and metadata"]
            ),
            Measurement(
                "size.disk",
                unit: "bytes/event",
                higherIsBetter: false,
                rounds: [(disk / count, plain / count)],
                settings: [
                    "events": "\(Int(count))", "limit": "jsonb rows, TOAST lz4, with the same keys, in the same order",
                ]
            ),
        ]
    }

    private static func number(_ sql: String, _ database: PostgresConfiguration) async throws -> Double {
        let text = try await PostgresConnection.with(database) { connection in
            var text: String?
            for statement in sql.split(separator: ";") {
                text = try await connection.text(unsafeSQL: String(statement)).first?.first ?? nil
            }
            return text
        }
        guard let number = text.flatMap(Double.init) else {
            throw BenchmarkError(.input, "the server gave no size for: \(sql)")
        }
        return number
    }
}
