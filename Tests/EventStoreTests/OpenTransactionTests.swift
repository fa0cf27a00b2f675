import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// What a writing transaction costs that stays open while others go on.
@Suite(.timeLimit(.minutes(10))) struct OpenTransactionTests {
    @Test func `however long a transaction stays open, a read of what is new touches as few pages`() async throws {
        // On a server of its own: cursors name the open transactions of all databases.
        try await withCrashingServer { configuration, _ in
            try await withStore(configuration) { store in
                let writer = try await PostgresConnection.connect(configuration)
                // The first event of its type: others who append such events do not wait for it.
                let stream = StreamID.fresh()
                try await writer.run(unsafeSQL: "begin; select append_event('\(stream)', 'turn.started', '{}')")
                let id = try await writer.text(unsafeSQL: "select pg_current_xact_id()").first?.first
                let number = try #require(id.flatMap { $0 }.flatMap { UInt64($0) })
                let reader = try await Reader(configuration)
                let cursor = try await store.withAppender { appender in
                    var cursor = LogCursor.beginning
                    _ = try await appender.append(.of(to: .fresh()))
                    for _ in 0..<2 { cursor = try await store.readLog(after: cursor).cursor }
                    #expect(cursor.delivered.active.contains(number), "the cursor names who is open")
                    _ = try await appender.append(.of(to: .fresh()))
                    let first = try await reader.pages(after: cursor)
                    // So much passes while the transaction is open.
                    for _ in 0..<100 {
                        _ = try await appender.append(independently: try (0..<200).map { _ in try .of(to: .fresh()) })
                    }
                    while case let batch = try await store.readLog(after: cursor, limit: 1_000), !batch.events.isEmpty {
                        cursor = batch.cursor
                    }
                    #expect(cursor.delivered.active.contains(number))
                    _ = try await appender.append(.of(to: .fresh()))
                    let last = try await reader.pages(after: cursor)
                    #expect(first.events == 1 && last.events == 1)
                    #expect(
                        last.pages < first.pages + 100,
                        "\(last.pages) pages after 20,000 events, \(first.pages) before"
                    )
                    // What it would cost to read again from the oldest open transaction on.
                    let all = try await reader.pages(after: cursor, from: number)
                    #expect(all.pages > 4 * last.pages, "\(all.pages) pages from the open transaction on")
                    return cursor
                }
                // And its events come when it commits.
                try await writer.run(unsafeSQL: "commit")
                await writer.close()
                let late = try await store.readLog(after: cursor)
                #expect(late.events.map(\.stream).contains(stream))
                await reader.close()
            }
        }
    }

    /// Runs the cursor's statement and counts the pages that it touches.
    private struct Reader {
        private let connection: PostgresConnection

        init(_ configuration: PostgresConfiguration) async throws {
            var configuration = configuration
            configuration.settings.merge(LogReader.sessionSettings) { given, _ in given }
            connection = try await PostgresConnection.connect(configuration)
        }

        func close() async { await connection.close() }

        /// - Parameter from: Where the transactions begin that are read; behind those
        ///   that the cursor has delivered unless given.
        func pages(after cursor: LogCursor, from first: UInt64? = nil) async throws -> (pages: Int, events: Int) {
            let active = cursor.delivered.active.map(String.init).joined(separator: ",")
            let sql = LogReader.ReadNew(old: cursor.delivered, limit: 1_000, part: LogPart(shards: nil, types: nil)).sql
                .replacing("$1", with: "'\(first ?? cursor.delivered.xmax)'::xid8").replacing(
                    "$2",
                    with: "'{\(active)}'"
                )
                .replacing("$3", with: "100000")
            let explained = try await connection.text(unsafeSQL: "explain (analyze, buffers, format json) \(sql)")
            let text = explained.compactMap { $0.first ?? nil }.joined(separator: "\n")
            guard case .array(let plans) = try JSONValue(json: Array(text.utf8)) else { return (0, 0) }
            let plan = plans.first?["Plan"]
            let pages = ["Shared Hit Blocks", "Shared Read Blocks"].map { plan?[$0]?.integer ?? 0 }.reduce(0, +)
            return (pages, plan?["Actual Rows"]?.integer ?? 0)
        }
    }
}
