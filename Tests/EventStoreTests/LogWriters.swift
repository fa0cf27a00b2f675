import EventModel
import Postgres
import RecorderTesting

@testable import EventStore

/// The kinds of writers that a log meets, each appending until it has written its share.
struct LogWriters: Sendable {
    let configuration: PostgresConfiguration
    let streams: [StreamID]
    let ledger: AppendLedger

    private var stream: StreamID { streams[Int.random(in: 0..<streams.count)] }

    private func ids(_ count: Int) -> [EventID] { (0..<count).map { _ in EventID.generate(at: .now()) } }

    // MARK: Through an appender

    /// Appends one to five events at a time, with several appends in flight.
    func appendThrough(_ appender: EventAppender, events: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var left = events / 8
                    while left > 0 {
                        let ids = ids(Int.random(in: 1...5))
                        let stream = stream
                        let receipt = try await retrying { try await appender.append(.of(ids, to: stream)) }
                        ledger.acknowledge(receipt, ids)
                        left -= ids.count
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Appends to several streams at once.
    func appendToSeveral(through appender: EventAppender, events: Int) async throws {
        var left = events
        while left > 0 {
            let parts = Set((0..<3).map { _ in stream }).map { (stream: $0, ids: ids(2)) }
            let receipts = try await retrying {
                try await appender.append(parts.map { try .of($0.ids, to: $0.stream) })
            }
            for (receipt, part) in zip(receipts, parts) {
                ledger.acknowledge(receipt, part.ids)
                left -= part.ids.count
            }
        }
    }

    /// Appends only if nobody came in between, and decides anew if somebody did.
    func appendExactly(through appender: EventAppender, events: Int) async throws {
        var left = events
        var known: [StreamID: Int] = [:]
        while left > 0 {
            let stream = stream
            let ids = ids(2)
            while true {
                do {
                    let expected = ExpectedVersion.exactly(known[stream] ?? 0)
                    let receipt = try await retrying {
                        try await appender.append(.of(ids, to: stream, expecting: expected))
                    }
                    ledger.acknowledge(receipt, ids)
                    known[stream] = receipt.versions.upperBound
                    left -= ids.count
                    break
                } catch let error as EventStoreError where error.code == .wrongExpectedVersion {
                    known[stream] = error.found
                }
            }
        }
    }

    // MARK: By SQL

    /// Calls `append_events` with events for two streams.
    func callAppendEvents(events: Int) async throws {
        try await onConnection { connection in
            var left = events
            while left > 0 {
                let parts = [stream, stream].sorted { $0.uuid < $1.uuid }.flatMap { stream in
                    ids(2).map { (stream: stream, id: $0) }
                }
                let lines = parts.map { #"{"stream":"\#($0.stream)","id":"\#($0.id)","type":"turn.started"}"# }
                let rows = try await repeating(&connection) { connection in
                    try await connection.text(
                        unsafeSQL: "select version from append_events('[\(lines.joined(separator: ","))]')"
                    )
                }
                for (part, row) in zip(parts, rows) {
                    guard let version = row[0].flatMap({ Int($0) }) else { continue }
                    ledger.acknowledge(part.id, in: part.stream, at: version)
                }
                left -= parts.count
            }
        }
    }

    /// How a transaction behaves between its beginning and its end.
    enum Manner: Sendable {
        /// Sleeps between its appends.
        case sleeps
        /// Rolls every second one back.
        case rollsBack
        /// Takes its transaction id long before it appends.
        case isEarly
    }

    /// Appends in transactions of its own, one event a statement.
    func appendInTransactions(_ manner: Manner, events: Int) async throws {
        try await onConnection { connection in
            var left = events
            var round = 0
            while left > 0 {
                round += 1
                let (stream, ids) = (stream, ids(3))
                let isRolledBack = manner == .rollsBack && round.isMultiple(of: 2)
                let versions = try await repeating(&connection) { connection in
                    try await connection.run(unsafeSQL: "begin")
                    if manner == .isEarly {
                        try await connection.run(unsafeSQL: "select pg_current_xact_id(); select pg_sleep(0.01)")
                    }
                    var versions: [Int] = []
                    for id in ids {
                        let rows = try await connection.text(
                            unsafeSQL: """
                                select version
                                from append_event('\(stream)', 'turn.started', '{}', event_id => '\(id)')
                                """
                        )
                        versions += rows.compactMap { $0[0].flatMap { Int($0) } }
                        if manner == .sleeps { try await connection.run(unsafeSQL: "select pg_sleep(0.004)") }
                    }
                    try await connection.run(unsafeSQL: isRolledBack ? "rollback" : "commit")
                    return versions
                }
                if isRolledBack {
                    for id in ids { ledger.abandon(id) }
                } else {
                    for (version, id) in zip(versions, ids) { ledger.acknowledge(id, in: stream, at: version) }
                    left -= ids.count
                }
            }
        }
    }

    // MARK: Connections that are cut

    private func retrying<R>(_ body: () async throws -> R) async throws -> R {
        while true {
            do {
                return try await body()
            } catch let error as EventStoreError where error.code == .unavailable {
                continue
            }
        }
    }

    private func onConnection(_ body: (inout PostgresConnection) async throws -> Void) async throws {
        var connection = try await connect()
        try await body(&connection)
        await connection.close()
    }

    private func connect() async throws -> PostgresConnection {
        while true {
            do {
                return try await PostgresConnection.connect(configuration, logger: TestServer.silent)
            } catch let error as PostgresError where error.isRetryable {
                continue
            }
        }
    }

    /// Repeats work whose connection was cut, or which stood in another's way, on a new connection.
    private func repeating<R>(
        _ connection: inout PostgresConnection,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        while true {
            do {
                return try await body(connection)
            } catch let error as PostgresError where error.isRetryable || error.code == .closed {
                await connection.close()
                connection = try await connect()
            }
        }
    }
}
