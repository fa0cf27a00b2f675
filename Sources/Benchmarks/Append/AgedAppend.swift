internal import Postgres

/// `append.aged`: the rate of appends to a log that holds millions of events already, against one that holds few.
///
/// The log is aged on the server: the appended streams are stored again under other ids, each copy at an earlier time,
/// so that new events are the youngest, as in a live log.
struct AgedAppend: Benchmark {
    /// About how many events the young log holds.
    private static let young = 100_000

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let shares = run.input.shares(run.options.producers)
        let count = Double(run.input.lines.count)
        let aged = run.options.agedEvents
        let few = shares.map { Array($0.prefix(Self.young / shares.count)) }
        let rounds = try await run.server.withDatabase(.recorder) { old in
            try await Self.fill(old, shares, upTo: aged)
            return try await run.rounds("append.aged") {
                let lines = try Self.renewed(shares)
                return count / (try await Producers.duration(of: lines, inFlight: 16, to: old)).seconds
            } against: {
                // A new one each time: it would be twice as old after a round.
                try await run.server.withDatabase(.recorder) { young in
                    try await Self.fill(young, few, upTo: Self.young)
                    let lines = try Self.renewed(shares)
                    return count / (try await Producers.duration(of: lines, inFlight: 16, to: young)).seconds
                }
            }
        }
        return [
            .rate(
                "append.aged",
                rounds,
                settings: ["events": "\(aged)", "limit": "a log of \(few.reduce(0) { $0 + $1.count }) events"]
            )
        ]
    }

    /// The same lines for new streams.
    private static func renewed(_ shares: [[BenchmarkInput.Line]]) throws -> [[BenchmarkInput.Line]] {
        try shares.map { share in try BenchmarkInput.renewed(share) }
    }

    private static func fill(
        _ database: PostgresConfiguration,
        _ shares: [[BenchmarkInput.Line]],
        upTo count: Int
    ) async throws {
        try await Producers.append(shares, inFlight: 16, to: database)
        try await PostgresConnection.with(database) { connection in
            try await connection.run(
                unsafeSQL: """
                    create temporary table pattern as
                    select *, to_timestamp(
                        ('x' || substr(stream_id::text, 1, 8) || substr(stream_id::text, 10, 4))::bit(48)::bigint / 1000.0
                    ) as began from events;
                    analyze pattern;
                    """
            )
            let step = shares.reduce(0) { $0 + $1.count }
            // The oldest copy first; each begins one pattern's length before the next.
            let copies = max(0, (count + step / 2) / step - 1)
            for copy in stride(from: copies, to: 0, by: -1) {
                try await connection.run(
                    unsafeSQL: """
                        create temporary table renamed as
                        select stream_id, \(copy) * age as age, began - \(copy) * age as began, uuid_v7(began - \(copy) * age) as new_id
                        from pattern, (select max(occurred_at) - min(occurred_at) as age from pattern) as span
                        where version = 1;
                        select create_events_partitions(min(began)::date, max(began)::date)
                        from renamed;
                        insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload)
                        select occurred_at - age, version, type, encoding, new_id, event_id, payload
                        from pattern join renamed using (stream_id) order by position;
                        drop table renamed;
                        """
                )
            }
            // Write out now what the filling left, so that the measured appends need not.
            try await connection.run(unsafeSQL: "vacuum analyze events")
            try await connection.run(unsafeSQL: "checkpoint")
        }
    }
}
