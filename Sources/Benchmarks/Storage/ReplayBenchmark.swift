internal import EventModel
internal import EventStore
internal import Postgres

/// `replay`: whole streams at random, read and decoded, against the same rows undecoded over COPY.
struct ReplayBenchmark: Benchmark {
    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        var random = SystemRandomNumberGenerator()
        var sizes: [StreamID: Int] = [:]
        for line in run.input.lines { sizes[line.stream, default: 0] += 1 }
        let streams = sizes.map { (stream: $0.key, events: $0.value) }.shuffled(using: &random)
        let count = Double(run.input.lines.count)
        let rounds = try await run.server.withDatabase(.recorder) { database in
            try await Producers.append(run.input.shares(run.options.producers), inFlight: 16, to: database)
            return try await PostgresConnection.with(database) { connection in
                try await connection.run(unsafeSQL: "vacuum analyze events")
                return try await PostgresEventStore.with(database) { store in
                    try await run.rounds("replay") {
                        let duration = try await ContinuousClock().measure {
                            try await WholeSessions.read(streams, from: store)
                        }
                        return count / duration.seconds
                    } against: {
                        count / (try await Self.copyOut(streams.map(\.stream), on: connection)).seconds
                    }
                }
            }
        }
        return [
            .rate(
                "replay",
                rounds,
                settings: [
                    "events": "\(run.input.lines.count)", "streams": "\(streams.count)",
                    "limit": "COPY binary of the same rows, undecoded",
                ]
            )
        ]
    }

    private static func copyOut(_ streams: [StreamID], on connection: PostgresConnection) async throws -> Duration {
        try await ContinuousClock().measure {
            for stream in streams {
                try await connection.copyOut(
                    unsafeSQL:
                        "(select \(StoredEvent.columns) from events where stream_id = '\(stream)' order by version)"
                ) { _ in }
            }
        }
    }
}
