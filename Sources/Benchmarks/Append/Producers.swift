internal import EventModel
internal import EventStore
internal import Postgres

/// Producers that append lines of JSON, as a pipeline's services would.
enum Producers {
    /// Appends everything, each producer with `inFlight` single events at a time.
    static func append(_ shares: [[BenchmarkInput.Line]], inFlight: Int, to database: PostgresConfiguration)
        async throws
    {
        try await PostgresEventStore.with(database) { store in
            try await store.withAppender { try await append(shares, inFlight: inFlight, with: $0) }
        }
    }

    /// How long it takes to append everything with appenders that are connected already, as the limits' clients are.
    ///
    /// - Parameters:
    ///   - shares: Each producer's lines.
    ///   - inFlight: How many events a producer hands over before it waits for them.
    ///   - appenders: How many appenders the producers are divided among, as if they were in different processes.
    ///   - limits: The bounds of each appender.
    ///   - keys: The key-encryption keys, for a sealed log.
    /// - Returns: How long it took until the last event was acknowledged.
    static func duration(
        of shares: [[BenchmarkInput.Line]],
        inFlight: Int,
        appenders: Int = 1,
        limits: EventAppender.Limits = .init(),
        keys: SealingKeys = .none,
        to database: PostgresConfiguration
    ) async throws -> Duration {
        try await withThrowingTaskGroup(of: Duration.self) { group in
            for first in 0..<appenders {
                let own = stride(from: first, to: shares.count, by: appenders).map { shares[$0] }
                group.addTask { try await duration(of: own, inFlight: inFlight, limits, keys, to: database) }
            }
            return try await group.reduce(.zero, max)
        }
    }

    private static func duration(
        of shares: [[BenchmarkInput.Line]],
        inFlight: Int,
        _ limits: EventAppender.Limits,
        _ keys: SealingKeys,
        to database: PostgresConfiguration
    ) async throws -> Duration {
        try await PostgresEventStore.with(database, keys: keys) { store in
            try await store.withAppender(limits: limits) { appender in
                try await open(appender, lanes: limits.connections)
                return try await ContinuousClock().measure {
                    try await append(shares, inFlight: inFlight, with: appender)
                }
            }
        }
    }

    /// The type of events that are appended before the time is taken.
    static let openingType = "benchmark.opened"

    /// Appends so much to each lane that its own writer has to connect: no other writer could take that much along.
    private static func open(_ appender: EventAppender, lanes: Int) async throws {
        let type = try EventType(openingType)
        let appends = try (0..<512 * lanes).map { _ in
            let id = EventID.generate(at: .now())
            return Append(stream: StreamID(id.uuid), events: [try EventDraft(id: id, type: type)])
        }
        for result in try await appender.append(independently: appends) { _ = try result.get() }
    }

    private static func append(
        _ shares: [[BenchmarkInput.Line]],
        inFlight: Int,
        with appender: EventAppender
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for share in shares {
                group.addTask { try await append(share, inFlight: inFlight, with: appender) }
            }
            try await group.waitForAll()
        }
    }

    private static func append(
        _ lines: [BenchmarkInput.Line],
        inFlight: Int,
        with appender: EventAppender
    ) async throws {
        guard inFlight > 1 else {
            for line in lines { _ = try await appender.append(try Append(line)) }
            return
        }
        for start in stride(from: 0, to: lines.count, by: inFlight) {
            let lines = try lines[start..<min(start + inFlight, lines.count)].map { try EventLine($0.json) }
            for result in try await appender.append(independently: lines) { _ = try result.get() }
        }
    }
}

extension Append {
    /// A line, parsed as it is when it comes from a service.
    init(_ line: BenchmarkInput.Line) throws {
        let parsed = try EventLine(line.json)
        self.init(stream: parsed.stream, expectedVersion: parsed.expectedVersion, events: [parsed.event])
    }
}
