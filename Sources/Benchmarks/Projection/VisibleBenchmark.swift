internal import EventModel
internal import EventStore
internal import Postgres
internal import Projector

/// `visible.single`: from an append's acknowledgement to the row that others can read, one event at a time, all
/// projections at work, against a projector written by hand that does nothing but count.
struct VisibleBenchmark: Benchmark {
    private static let events = 1_000
    /// The table and not its view, which leaves out the streams of users.
    private static let version = "select version from conversation_sessions_v1 where session_id = $1"
    /// Events that are appended first and not measured.
    private static let warmUp = 200

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let lines = Array(run.input.lines.prefix(Self.warmUp + Self.events))
        let rounds = try await run.rounds("visible.single") {
            try await run.server.withDatabase(.recorder) { database in
                try await ProjectorTask.with(database) {
                    try await Self.waits(lines, Self.version, database)
                }
            }
        } against: {
            try await run.server.withDatabase(.recorder) { database in
                try await FloorProjector.with(database) {
                    try await Self.waits(lines, "select version from floor_sessions where id = $1", database)
                }
            }
        }
        return Measurement.percentiles(
            "visible.single",
            of: rounds.map(\.value),
            limits: rounds.map(\.limit),
            settings: [
                "events": "\(lines.count - Self.warmUp)",
                "limit": "NOTIFY, SELECT, one upsert and a checkpoint, by hand",
            ]
        )
    }

    /// Appends events one after another, and polls after each acknowledgement until the event's row is there.
    ///
    /// - Parameter query: Selects the version of a stream from the read model.
    /// - Returns: The waits in milliseconds, ascending.
    private static func waits(
        _ lines: [BenchmarkInput.Line],
        _ query: String,
        _ database: PostgresConfiguration
    ) async throws -> [Double] {
        try await PostgresConnection.with(database) { probe in
            try await PostgresEventStore.with(database) { store in
                try await store.withAppender { appender in
                    var waits: [Double] = []
                    for line in lines {
                        let receipt = try await appender.append(try Append(line))
                        let acknowledged = ContinuousClock.now
                        let statement = VersionOf(stream: line.stream, sql: query)
                        while try await probe.first(statement) ?? 0 < receipt.versions.upperBound {
                            try BenchmarkError.checkMoving(since: acknowledged)
                        }
                        waits.append(acknowledged.duration(to: .now) / .milliseconds(1))
                    }
                    return waits.dropFirst(warmUp).sorted()
                }
            }
        }
    }

    private struct VersionOf: PostgresStatement {
        let stream: StreamID
        let sql: String

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(stream.uuid) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int { try row.decode(at: 0) }
    }
}
