internal import EventModel
internal import Logging
internal import Postgres

/// Writes groups of appends, each group in one transaction, and settles every append of it.
///
/// Belongs to one task. What others do to the same streams meanwhile is settled by the events' key: the group is decided
/// again on fresh heads, and one that keeps losing or is refused is halved until the append is found that is at fault, so
/// that its neighbours do not fail with it.
struct AppendWriter {
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let patience: Duration
    private var connection: PostgresConnection?
    private var heads = StreamHeads()
    private var types = EventTypes()

    /// How often a group that loses against other writers is tried together before it is halved.
    private static let groupAttempts = 3
    /// How long to leave a server alone that cannot be reached or has no room.
    private static let retryPause = Duration.milliseconds(50)

    /// - Parameter patience: How long to try to reach the server again before appends fail.
    init(_ configuration: PostgresConfiguration, patience: Duration, logger: Logger) {
        self.configuration = configuration
        self.patience = patience
        self.logger = logger
    }

    /// Stores what can be stored of a group and settles all of it.
    mutating func write(_ group: [AppendRequest]) async {
        await settleAll(group)
        heads.trim()
    }

    private mutating func settleAll(_ group: [AppendRequest]) async {
        var open = group
        var fresh: Set<StreamID> = []
        var stale: Set<StreamID> = []
        var conflicts = 0
        var wasRefused = false
        var giveUp: ContinuousClock.Instant?
        while !open.isEmpty {
            do {
                let connection = try await connected()
                try await internTypes(of: open, on: connection)
                let unknown = open.lazy.flatMap(\.appends).map(\.stream).filter { [heads] in heads[$0] == nil }
                try await read(stale.union(unknown), fresh: &fresh, on: connection)
                let round = AppendRound(open, heads: heads, types: types, fresh: fresh)
                // From here on only these are open: whatever happens to the others' neighbours, they are told once.
                open = round.open
                for (request, result) in round.settled { request.settle(result) }
                if round.count > 0 {
                    let (positions, _) = try await connection.pipeline(round.statement, WakeSubscribers(), sync: .each)
                    for (request, receipts) in round.finish(positions, heads: &heads) {
                        request.settle(.success(receipts))
                    }
                }
                (open, stale) = (round.later, round.stale)
                giveUp = nil
            } catch let error as PostgresError where error.isLostRace {
                conflicts += 1
                if conflicts >= Self.groupAttempts, open.count > 1 { return await writeHalves(open) }
                // Others were faster: read what they did, and decide again.
                (fresh, stale) = ([], Set(open.lazy.flatMap(\.appends).map(\.stream)))
            } catch let error as PostgresError where error.isRetryable || error.code == .closed {
                let deadline = giveUp ?? .now + patience
                giveUp = deadline
                (fresh, stale) = ([], [])
                reset(after: error)
                guard .now < deadline, !Task.isCancelled else { return settle(open, unavailable: error) }
                try? await Task.sleep(for: Self.retryPause)
            } catch let error as CancellationError {
                reset(after: error)
                return settle(open, unavailable: error)
            } catch {
                // One append of the group is at fault; the others must not fail with it.
                if open.count > 1 { return await writeHalves(open) }
                // What failed may have been something behind the commit: whoever says that nothing was stored has looked.
                if wasRefused { return settle(open, refused: error) }
                wasRefused = true
                (fresh, stale) = ([], [])
                reset(after: error)
            }
        }
    }

    private mutating func writeHalves(_ requests: [AppendRequest]) async {
        let middle = requests.count / 2
        await settleAll(Array(requests[..<middle]))
        await settleAll(Array(requests[middle...]))
    }

    // MARK: Reading

    private mutating func internTypes(of requests: [AppendRequest], on connection: PostgresConnection) async throws {
        var unknown: Set<EventType> = []
        for request in requests {
            for append in request.appends {
                for event in append.events where types[event.type] == nil { unknown.insert(event.type) }
            }
        }
        try await types.intern(unknown, on: connection)
    }

    private mutating func read(
        _ streams: Set<StreamID>,
        fresh: inout Set<StreamID>,
        on connection: PostgresConnection
    ) async throws {
        guard !streams.isEmpty else { return }
        let wanted = streams.map { (stream: $0, version: heads[$0]?.version ?? 0) }
        let rows = try await connection.query(ReadHeads(streams: wanted))
        for stream in streams { heads.extend(stream, by: EmptyCollection()) }
        for row in rows {
            guard row.version == (heads[row.stream]?.version ?? 0) + 1 else {
                throw EventStoreError(
                    .corruptEvent,
                    "stream \(row.stream) holds version \(row.version), but not all versions before: somebody wrote it by "
                        + "other means than an appender or append_event",
                    stream: row.stream
                )
            }
            heads.extend(row.stream, by: CollectionOfOne((row.id, row.position)))
        }
        fresh.formUnion(streams)
    }

    // MARK: The connection

    private mutating func connected() async throws -> PostgresConnection {
        if let connection, connection.isOpen { return connection }
        let made = try await PostgresConnection.connect(configuration, logger: logger)
        connection = made
        return made
    }

    /// Forgets what may be wrong after a failure: a commit whose answer was lost shows in the heads that are read next.
    private mutating func reset(after error: any Error) {
        logger.warning("an append is tried again", metadata: ["error": "\(error)"])
        heads.removeAll()
        if connection?.isOpen != true { connection = nil }
    }

    /// Closes the connection.
    mutating func close() async {
        await connection?.close()
        connection = nil
    }

    private func settle(_ requests: [AppendRequest], unavailable error: any Error) {
        for request in requests {
            request.settle(
                .failure(
                    EventStoreError(
                        .unavailable,
                        "the database could not be reached within \(patience); append the same events again, with the "
                            + "same ids, to learn whether they were stored",
                        stream: request.appends.first?.stream,
                        cause: error
                    )
                )
            )
        }
    }

    private func settle(_ requests: [AppendRequest], refused error: any Error) {
        for request in requests {
            request.settle(
                .failure(
                    EventStoreError(
                        .refused,
                        "the append was refused",
                        stream: request.appends.first?.stream,
                        cause: error
                    )
                )
            )
        }
    }
}

extension PostgresError {
    /// Whether another writer got a version first, or the two stood in each other's way.
    fileprivate var isLostRace: Bool {
        isTransactionConflict || (sqlState == "23505" && constraint?.hasSuffix("_pkey") == true)
    }
}
