import EventModel
import Postgres
import RecorderTesting
import Synchronization
import Testing

@testable import EventStore

/// Invariants 1, 2 and 3 of design.md, under everything that writers and networks do.
@Suite struct LogInvariantTests {
    @Test(.timeLimit(.minutes(10)))
    func `16 writers, cut connections and a subscriber that is killed: every event once, in order`() async throws {
        try await withTestDatabase { configuration in
            try await Self.withForeignTransaction { foreignIsOpen in
                // Short, so that transactions that meet in a ring cost the test little time.
                var configuration = configuration
                configuration.settings["deadlock_timeout"] = "20ms"
                let ledger = AppendLedger()
                let (delivered, cursor) = try await withStore(configuration) { store in
                    try await Self.write(ledger, store, configuration)
                }
                #expect(ledger.events >= 20_000)
                #expect(delivered.count >= 2_000, "the subscriber was at work meanwhile")
                try await withStore(configuration) { store in
                    let (rest, reads) = try await Self.readToHead(store, after: cursor)
                    // The rest of the window in which the subscriber died, full pages, a last one, and an empty one.
                    #expect(reads <= rest.count / 1_000 + 3)
                    let (stored, _) = try await Self.readToHead(store, after: .beginning)
                    ledger.check(stored: stored, delivered: delivered + rest)

                    // Nobody waits for the stranger: what is committed is there at the next read.
                    var head = try await store.head()
                    for _ in 0..<5 {
                        _ = try await store.withAppender { try await $0.append(.of(to: .fresh())) }
                        let batch = try await store.readLog(after: head)
                        #expect(batch.events.count == 1)
                        head = batch.cursor
                    }
                }
                try await foreignIsOpen()
            }
        }
    }

    /// Runs the writers, a subscriber that is killed again and again, and somebody who cuts connections.
    ///
    /// - Returns: What the subscriber kept, and its cursor.
    private static func write(
        _ ledger: AppendLedger,
        _ store: PostgresEventStore,
        _ configuration: PostgresConfiguration
    ) async throws -> ([RecordedEvent], LogCursor) {
        let subscriber = MortalSubscriber(store)
        let streams = (0..<40).map { _ in StreamID.fresh() } + (0..<5).map { _ in StreamID.random() }
        let writers = LogWriters(configuration: configuration, streams: streams, ledger: ledger)
        try await withThrowingTaskGroup(of: Void.self) { others in
            others.addTask { try await subscriber.live() }
            others.addTask { try await cutConnections(configuration) }
            try await store.withAppender { one in
                try await store.withAppender { two in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for appender in [one, two] {
                            for _ in 0..<2 {
                                group.addTask { try await writers.appendThrough(appender, events: 4_000) }
                            }
                            group.addTask { try await writers.appendToSeveral(through: appender, events: 600) }
                            group.addTask { try await writers.appendExactly(through: appender, events: 300) }
                        }
                        for _ in 0..<2 {
                            group.addTask { try await writers.callAppendEvents(events: 1_200) }
                            for manner in [LogWriters.Manner.sleeps, .rollsBack, .isEarly] {
                                group.addTask { try await writers.appendInTransactions(manner, events: 240) }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            others.cancelAll()
            while let result = await others.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
        return subscriber.kept
    }

    /// Ends a random session of the database again and again.
    private static func cutConnections(_ configuration: PostgresConfiguration) async throws {
        let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        while true {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...250)))
            _ = try await connection.text(
                unsafeSQL: """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
                    order by random() limit 1
                    """
            )
        }
    }

    /// Reads the log in pages until a page is empty.
    private static func readToHead(
        _ store: PostgresEventStore,
        after start: LogCursor
    ) async throws -> (events: [RecordedEvent], reads: Int) {
        var (cursor, events, reads) = (start, [RecordedEvent](), 0)
        while true {
            let batch = try await store.readLog(after: cursor)
            (cursor, reads) = (batch.cursor, reads + 1)
            if batch.events.isEmpty { return (events, reads) }
            events += batch.events
        }
    }

    /// Keeps a writing transaction open in another database of the same cluster while the body runs.
    private static func withForeignTransaction(
        _ body: (_ isOpen: () async throws -> Void) async throws -> Void
    ) async throws {
        try await withTestDatabase(.empty) { configuration in
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            let check = "select pg_current_xact_id_if_assigned()"
            try await connection.run(unsafeSQL: "begin; create table public.held (n int)")
            let before = try await connection.text(unsafeSQL: check)
            #expect(before[0][0] != nil)
            try await body {
                let now = try await connection.text(unsafeSQL: check)
                #expect(now == before)
            }
            await connection.close()
        }
    }
}

/// A subscriber that dies at any moment and lives again from the cursor that it saved with its events.
private final class MortalSubscriber: Sendable {
    private let store: PostgresEventStore
    private let state = Mutex((events: [RecordedEvent](), cursor: LogCursor.beginning.description))

    init(_ store: PostgresEventStore) { self.store = store }

    /// What was saved.
    var kept: ([RecordedEvent], LogCursor) {
        state.withLock { ($0.events, LogCursor($0.cursor) ?? .beginning) }
    }

    /// Lives one life after another until the task is cancelled.
    func live() async throws {
        while true {
            try Task.checkCancellation()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.liveOnce() }
                group.addTask { try await Task.sleep(for: .milliseconds(Int.random(in: 1...300))) }
                do {
                    try await group.next()
                    group.cancelAll()
                    try await group.waitForAll()
                } catch let error as EventStoreError where error.code == .unavailable {
                    group.cancelAll()
                } catch is CancellationError {
                    group.cancelAll()
                }
            }
        }
    }

    private func liveOnce() async throws {
        let saved = state.withLock { $0.cursor }
        guard let cursor = LogCursor(saved) else {
            Issue.record("the cursor \(saved) cannot be read")
            return
        }
        let lives = Int.random(in: 1...40)
        var batches = 0
        let subscription = store.subscribe(
            after: cursor,
            batchSize: Int.random(in: 1...400),
            pollInterval: .milliseconds(50)
        )
        for try await batch in subscription {
            // Killed between getting a batch and saving it.
            if Int.random(in: 0..<10) == 0 || Task.isCancelled { return }
            state.withLock { state in
                state.events += batch.events
                state.cursor = batch.cursor.description
            }
            batches += 1
            if batches >= lives { return }
        }
    }
}
