internal import EventModel
internal import Logging
internal import Postgres

/// Writes groups of appends, each group in one transaction, and settles every append of it.
///
/// Belongs to one task. What others do to the same streams meanwhile is settled by the events' key: the group is decided
/// again on fresh heads, and an append that keeps losing is tried alone, so that it does not hold up its neighbours.
struct AppendWriter {
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let patience: Duration
    private var connection: PostgresConnection?
    private var heads = StreamHeads()
    private var types = EventTypes()

    /// How often a group is tried together before its appends are tried one by one.
    private static let groupAttempts = 3

    /// - Parameter patience: How long to try to reach the server again before appends fail.
    init(_ configuration: PostgresConfiguration, patience: Duration, logger: Logger) {
        self.configuration = configuration
        self.patience = patience
        self.logger = logger
    }

    /// Stores what can be stored of a group and settles all of it.
    mutating func write(_ group: [AppendRequest]) async {
        var open = group
        var fresh: Set<StreamID> = []
        var attempts = 0
        var giveUp: ContinuousClock.Instant?
        while !open.isEmpty {
            do {
                let connection = try await connected()
                try await internTypes(of: open, on: connection)
                var round = try await decide(open, fresh: &fresh, on: connection)
                try await store(&round, on: connection)
                open = round.later
                giveUp = nil
            } catch let error as PostgresError where error.constraint?.hasSuffix("_pkey") == true {
                attempts += 1
                if attempts >= Self.groupAttempts, open.count > 1 { return await writeOneByOne(open) }
                // Others were faster: read what they did, and decide again.
                fresh = []
                do { try await refresh(open, fresh: &fresh) } catch { await reset(after: error) }
            } catch let error as PostgresError where error.isRetryable || error.code == .closed {
                let deadline = giveUp ?? .now + patience
                giveUp = deadline
                fresh = []
                await reset(after: error)
                guard .now < deadline else { return settle(open, unavailable: error) }
                if error.code != .server { try? await Task.sleep(for: .milliseconds(50)) }
            } catch {
                guard open.count > 1 else { return settle(open, refused: error) }
                // One append of the group is at fault; the others must not fail with it.
                return await writeOneByOne(open)
            }
        }
    }

    private mutating func writeOneByOne(_ requests: [AppendRequest]) async {
        for request in requests { await write([request]) }
    }

    // MARK: Deciding

    /// What one transaction stores, and what is left for the next.
    private struct Round {
        var rows = InsertEvents()
        var stored: [(request: AppendRequest, firstVersions: [Int])] = []
        var later: [AppendRequest] = []
    }

    private mutating func decide(
        _ requests: [AppendRequest],
        fresh: inout Set<StreamID>,
        on connection: PostgresConnection
    ) async throws -> Round {
        let unknown = Set(requests.lazy.flatMap(\.appends).map(\.stream).filter { [heads] in heads[$0] == nil })
        if !unknown.isEmpty { try await read(unknown, fresh: &fresh, on: connection) }

        var round = Round()
        var pending: [StreamID: [EventID]] = [:]
        for request in requests {
            let decision = try await decision(on: request, pending: pending, fresh: &fresh, connection)
            switch decision {
            case .store: add(request, to: &round, pending: &pending)
            case .stored(let receipts): request.settle(.success(receipts))
            case .refuse(let error): request.settle(.failure(error))
            case .later, .read: round.later.append(request)
            }
        }
        return round
    }

    /// Decides about one request, after reading what the decision needs.
    private mutating func decision(
        on request: AppendRequest,
        pending: [StreamID: [EventID]],
        fresh: inout Set<StreamID>,
        _ connection: PostgresConnection
    ) async throws -> AppendDecision {
        let decision = AppendDecision(request.appends, heads: heads, pending: pending, isFresh: fresh.contains)
        guard case .read(let streams) = decision else { return decision }
        // Heads under rows that are already planned must not move: such a request waits for the next round.
        guard streams.allSatisfy({ pending[$0] == nil }) else { return .later }
        try await read(Set(streams), fresh: &fresh, on: connection)
        return AppendDecision(request.appends, heads: heads, pending: pending, isFresh: fresh.contains)
    }

    private func add(_ request: AppendRequest, to round: inout Round, pending: inout [StreamID: [EventID]]) {
        var firstVersions: [Int] = []
        for append in request.appends {
            let ids = pending[append.stream, default: []]
            let first = (heads[append.stream]?.version ?? 0) + ids.count + 1
            firstVersions.append(first)
            for (offset, event) in append.events.enumerated() {
                guard let type = types[event.type] else { preconditionFailure("types are interned before") }
                round.rows.append(event, type: type, stream: append.stream, version: first + offset)
                pending[append.stream, default: []].append(event.id)
            }
        }
        round.stored.append((request, firstVersions))
    }

    // MARK: Reading and storing

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
        let wanted = streams.map { (stream: $0, version: heads[$0]?.version ?? 0) }
        let rows = try await connection.query(ReadHeads(streams: wanted))
        let byStream = Dictionary(grouping: rows, by: \.stream)
        for (stream, _) in wanted {
            heads.extend(stream, by: (byStream[stream] ?? []).map { ($0.id, $0.position) })
        }
        fresh.formUnion(streams)
    }

    private mutating func refresh(_ requests: [AppendRequest], fresh: inout Set<StreamID>) async throws {
        let streams = Set(requests.lazy.flatMap(\.appends).map(\.stream))
        try await read(streams, fresh: &fresh, on: try await connected())
    }

    private mutating func store(_ round: inout Round, on connection: PostgresConnection) async throws {
        guard round.rows.count > 0 else { return }
        let (positions, _) = try await connection.pipeline(round.rows, WakeSubscribers(), sync: .each)
        var next = positions[...]
        for (request, firstVersions) in round.stored {
            let receipts = zip(request.appends, firstVersions).map { append, firstVersion in
                let mine = Array(next.prefix(append.events.count))
                next = next.dropFirst(append.events.count)
                heads.extend(append.stream, by: zip(append.events.map(\.id), mine).map { ($0, $1) })
                return AppendReceipt(
                    stream: append.stream,
                    firstVersion: firstVersion,
                    positions: mine,
                    wasStoredBefore: false
                )
            }
            request.settle(.success(receipts))
        }
    }

    // MARK: The connection

    private mutating func connected() async throws -> PostgresConnection {
        if let connection, connection.isOpen { return connection }
        let made = try await PostgresConnection.connect(configuration, logger: logger)
        connection = made
        return made
    }

    /// Forgets what may be wrong after a failure: a commit whose answer was lost shows in the heads that are read next.
    private mutating func reset(after error: any Error) async {
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
