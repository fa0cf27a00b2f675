import Postgres
import RecorderTesting
import Synchronization
import Testing

/// Behind a pooler that lends two sessions to all, for one transaction at a time.
@Suite struct LentSessionTests {
    private static let setting = "select current_setting('recorder.note')"
    private static let table = "create table numbers (n bigint primary key)"

    /// Runs a test in an empty database whose schema `public` holds `numbers`.
    private func withPool<R>(_ body: (PostgresConfiguration) async throws -> R) async throws -> R {
        try await withPooledDatabase(.empty) { given in
            var configuration = given
            configuration.schema = nil
            try await withSession(configuration) { try await $0.run(unsafeSQL: Self.table) }
            return try await body(configuration)
        }
    }

    @Test func `of many connections, each finds its own settings in every kind of exchange`() async throws {
        try await withPool { configuration in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        var own = configuration
                        own.settings["recorder.note"] = "\(number)"
                        try await withSession(own) { session in
                            try await #expect(session.isLent())
                            for _ in 0..<20 { try await Self.check(session, "\(number)") }
                            try await session.set("recorder.note", to: "other \(number)")
                            for _ in 0..<5 { try await Self.check(session, "other \(number)") }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private static func check(_ session: PostgresConnection, _ note: String) async throws {
        let statement = Column<String>(setting)
        var found = [try await session.query(statement)]
        found.append(try await session.text(unsafeSQL: setting).map { $0[0] ?? "NULL" })
        found.append(try await session.pipeline(statement, Echo(1)).0)
        let (first, second) = try await session.pipeline(statement, statement, sync: .each)
        found += [first, second]
        for late in [false, true] {
            found += try await session.transaction(isolation: .repeatableRead, beginsLate: late) { session in
                let first = try await session.query(statement)
                return [first, try await session.pipeline(each: [statement])[0]]
            }
        }
        let copied = Mutex<[String]>([])
        try await session.copyOut(unsafeSQL: "(\(setting))") { row in
            let note: String = try row.decode(at: 0)
            copied.withLock { $0.append(note) }
        }
        found.append(copied.withLock { $0 })
        #expect(found == [[String]](repeating: [note], count: 10))
    }

    @Test func `statements of one transaction stay together, committed in turn or rolled back`() async throws {
        try await withPool { configuration in
            try await withSession(configuration) { session in
                let committed = try await session.transaction(beginsLate: true) { session in
                    _ = try await session.query(Column<Int>("select n from numbers"))
                    return try await session.commit(
                        inTurn: [[InsertNumber(1)], [InsertNumber(2)], [InsertNumber(1)], [InsertNumber(3)]],
                        isolation: .repeatableRead
                    )
                }
                #expect(committed == 2)
                _ = try? await session.transaction { session in
                    try await session.execute(InsertNumber(4))
                    throw CancellationError()
                }
                _ = try await postgresError { try await session.pipeline(InsertNumber(5), InsertNumber(1)) }
                let copied = try await session.copyIn(unsafeSQL: "numbers (n)") { writer in try writer.row(6) }
                #expect(copied == 1)
                try await #expect(session.numbers() == [1, 2, 6])
            }
        }
    }

    @Test func `what is prepared by name in a session does not matter, nor what no transaction can hold`() async throws
    {
        try await withPool { configuration in
            try await withSession(configuration) { session in
                try await session.execute(InsertNumber(1))
                try await session.run(unsafeSQL: "discard all", isAlone: true)
                try await session.run(unsafeSQL: "vacuum (full, analyze) public.numbers", isAlone: true)
                try await session.execute(InsertNumber(2))
                try await #expect(session.numbers() == [1, 2])
                let prepared = Column<Int>("select count(*) from pg_prepared_statements")
                try await #expect(session.first(prepared) == 0)
            }
        }
    }

    @Test func `a statement is cancelled, and the connection goes on`() async throws {
        try await withPool { configuration in
            try await withSession(configuration) { session in
                let sleeping = Task { try await session.run(unsafeSQL: "select pg_sleep(600)") }
                try await withSession(configuration) { other in
                    try await eventually("the session sleeps") {
                        let asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
                        return try await other.first(Column<Int>(asleep)) == 1
                    }
                }
                sleeping.cancel()
                await #expect(throws: CancellationError.self) { try await sleeping.value }
                try await #expect(session.first(Echo(1)) == 1)
            }
        }
    }

    @Test func `who gets no session in time is told that the server did not answer, and not that they gave up`()
        async throws
    {
        try await withPool { configuration in
            try await withSession(configuration) { first in
                try await withSession(configuration) { second in
                    // Both sessions are lent, for as long as these transactions last.
                    for session in [first, second] { try await session.run(unsafeSQL: "begin; select 1") }
                    var hasty = configuration
                    hasty.connectTimeout = .milliseconds(200)
                    let error = try await postgresError { try await PostgresConnection.connect(hasty, logger: silent) }
                    #expect(error.code == .connectionLost && error.isRetryable)
                    #expect(error.message.contains("did not answer"), "\(error)")
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(5))) func `a listener learns that it hears nothing, and when to look`() async throws {
        try await withPool { configuration in
            var iterator = PostgresNotifications(configuration, channels: ["news"], quietAfter: .milliseconds(10))
                .makeAsyncIterator()
            try await #expect(iterator.next() == .deaf)
            try await #expect(iterator.next() == .quiet)
        }
    }
}
