import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// What holds when the server is stopped as by a crash, while it is used.
@Suite struct CrashTests {
    @Test(.timeLimit(.minutes(10)))
    func `producers that repeat their appends through crashes lose nothing and double nothing`() async throws {
        try await withCrashingServer { configuration, crash in
            try await withStore(configuration) { store in
                let streams = (0..<12).map { _ in StreamID.fresh() }
                let ledger = AppendLedger()
                let (progress, progressed) = AsyncStream.makeStream(of: Int.self)
                let sentinel = StreamID.fresh()
                async let delivered = Self.follow(store, until: sentinel)
                try await store.withAppender(limits: .init(patience: .milliseconds(300))) { appender in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for (number, stream) in streams.enumerated() {
                            group.addTask {
                                for count in 0..<60 {
                                    let ids = (0...number % 3).map { _ in EventID.fresh() }
                                    let receipt = try await Self.retrying {
                                        try await appender.append(.of(ids, to: stream))
                                    }
                                    ledger.acknowledge(receipt, ids)
                                    progressed.yield(count)
                                }
                            }
                        }
                        group.addTask {
                            var seen = 0
                            for await _ in progress {
                                seen += 1
                                if seen % 180 == 0 { try await crash() }
                                if seen == 600 { return }
                            }
                        }
                        try await group.waitForAll()
                    }
                    let last = [EventID.fresh()]
                    ledger.acknowledge(
                        try await Self.retrying { try await appender.append(.of(last, to: sentinel)) },
                        last
                    )
                }
                var stored: [RecordedEvent] = []
                for stream in streams + [sentinel] { stored += try await store.read(stream) }
                #expect(stored.count == 1441)
                ledger.check(stored: stored, delivered: try await delivered)
            }
        }
    }

    /// Everything that a subscription delivers until it delivers an event of `last`.
    private static func follow(_ store: PostgresEventStore, until last: StreamID) async throws -> [RecordedEvent] {
        var seen: [RecordedEvent] = []
        for try await batch in store.subscribe(batchSize: 50, pollInterval: .milliseconds(100)) {
            seen += batch.events
            if batch.events.contains(where: { $0.stream == last }) { break }
        }
        return seen
    }

    /// Repeats an append as long as nobody knows whether it was stored.
    private static func retrying<R>(_ body: () async throws -> R) async throws -> R {
        while true {
            do {
                return try await body()
            } catch let error as EventStoreError where error.code == .unavailable {
                continue
            }
        }
    }

    /// As by a failover to a standby that lacks the newest commits.
    @Test func `behind a lost connection, what a stream holds is read again`() async throws {
        try await withStore { store, configuration in
            let streams = (0..<8).map { _ in StreamID.fresh() }
            try await store.withAppender { appender in
                for stream in streams {
                    _ = try await appender.append(.of([.fresh(), .fresh(), .fresh()], to: stream))
                }
                try await Self.run(
                    """
                    begin;
                    do $$ declare part regclass; begin
                        for part in select relid from pg_partition_tree('events') where isleaf loop
                            execute format('alter table %s disable trigger user', part);
                            execute format('delete from %s where version > 1', part);
                            execute format('alter table %s enable always trigger refuse_change', part);
                        end loop;
                    end $$;
                    commit;
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()
                    """,
                    configuration
                )
                for stream in streams {
                    let receipt = try await appender.append(.of(to: stream))
                    #expect(receipt.firstVersion == 2)
                    #expect(try await store.read(stream).map(\.version) == [1, 2])
                }
            }
        }
    }

    @Test func `a cursor does not claim transactions that a crash takes back`() async throws {
        try await withCrashingServer { configuration, crash in
            try await withStore(configuration) { store in
                let append = "select append_event('\(StreamID.fresh())', 'turn.started', '{}')"
                // Nobody writes the log to the disk but commits.
                try await Self.run("alter system set wal_writer_delay = '10s'", configuration)
                try await Self.run("alter system set autovacuum = off", configuration)
                try await Self.run("select pg_reload_conf()", configuration)
                try await Self.run(append, configuration)
                var cursor = LogCursor.beginning
                for _ in 0..<2 { cursor = try await store.readLog(after: cursor).cursor }
                #expect(cursor != .beginning)

                // Their ends are in memory only: the crash forgets them, and their ids are given out again.
                for _ in 0..<3 { try await Self.run("begin; select pg_current_xact_id(); rollback", configuration) }
                for _ in 0..<2 { cursor = try await store.readLog(after: cursor).cursor }
                // One whose events were delivered beside them.
                try await Self.run(append, configuration)
                for _ in 0..<3 { try await Self.run("begin; select pg_current_xact_id(); rollback", configuration) }
                let batch = try await store.readLog(after: cursor)
                #expect(batch.events.map(\.version) == [2])
                cursor = try await store.readLog(after: batch.cursor).cursor

                try await crash()
                for version in 3...8 {
                    try await Self.run(append, configuration)
                    if version > 3 { continue }
                    let after = try await store.readLog(after: cursor)
                    #expect(after.events.map(\.version) == [3])
                }
                #expect(try await store.readLog(after: cursor).events.map(\.version) == Array(3...8))
            }
        }
    }

    @Test func `a key that something can be sealed under survives the crash that comes next`() async throws {
        try await withCrashingServer { configuration, crash in
            try await Self.run("alter system set wal_writer_delay = '10s'", configuration)
            try await Self.run("select pg_reload_conf()", configuration)
            let keys = SealingKeys([LocalKeyEncryptionKey()])
            try await SealedLog.withPool(configuration) { pool in
                _ = try await KeyAdministration(pool, keys: keys).initialise()
                let user = StreamID.fresh()
                let append = try SealedLog.session(.fresh(), of: user)
                let key = try await SubjectSealer(pool, keys: keys).keys(for: [append])?.key(at: 0)
                try await crash()
                let stored = try await SealedLog.text(
                    "select id from subject_keys where subject_id = '\(user)'",
                    on: configuration
                )
                #expect(stored == [[try #require(key).id.description]])
            }
        }
    }

    private static func run(_ sql: String, _ configuration: PostgresConfiguration) async throws {
        let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        try await connection.run(unsafeSQL: sql)
        await connection.close()
    }
}
