import FoundationEssentials
import Glibc
import Operations
import Postgres
import RecorderTesting
import Synchronization
import Testing

@Suite struct PostgresCopyTests {
    struct Refusal: Error {}

    private static let rows = 100_000

    private func withTable(_ body: (PostgresConnection, PostgresConfiguration) async throws -> Void) async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { session in
                try await session.run(
                    unsafeSQL: "create table copied (id uuid, n bigint unique, t text, d numeric, a int[], b bytea)"
                )
                try await body(session, configuration)
            }
        }
    }

    private func count(_ session: PostgresConnection) async throws -> Int? {
        try await session.first(Column<Int>("select count(*) from copied"))
    }

    @Test func `100,000 rows of every kind go in and come out again`() async throws {
        try await withTable { session, _ in
            let stored = try await session.copyIn(unsafeSQL: "copied") { writer in
                for number in 0..<Self.rows {
                    try writer.row(
                        UUID(uuid: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, UInt8(number % 256))),
                        number,
                        number % 3 == 0 ? nil : "row \(number)",
                        PostgresDecimal(String(number)),
                        [Int32?.none, Int32(number)],
                        PostgresBytea([])
                    )
                }
            }
            #expect(stored == Self.rows)
            try await #expect(session.first(Column<Int>("select sum(n)::bigint from copied")) == 4_999_950_000)
            let seen = Mutex(0)
            try await session.copyOut(unsafeSQL: "(select n, t, d, a, b from copied order by n)") { row in
                let number = try row.decode(Int.self, at: 0)
                let text = try row.decode(String?.self, at: 1)
                let decimal = try row.decode(PostgresDecimal.self, at: 2)
                let array = try row.decode([Int32?].self, at: 3)
                let expected = seen.withLock { seen in
                    defer { seen += 1 }
                    return seen
                }
                let isRight =
                    number == expected && text == (number % 3 == 0 ? nil : "row \(number)")
                    && decimal == PostgresDecimal(String(number)) && array == [nil, Int32(number)]
                if !isRight { Issue.record("row \(expected) is wrong") }
            }
            #expect(seen.withLock { $0 } == Self.rows)
        }
    }

    @Test func `nothing goes in and comes out as well`() async throws {
        try await withTable { session, _ in
            try await #expect(session.copyIn(unsafeSQL: "copied") { _ in } == 0)
            try await session.copyOut(unsafeSQL: "copied") { _ in Issue.record("there is no row") }
            try await #expect(count(session) == 0)
        }
    }

    @Test(arguments: [0, 1, 50_000])
    func `an error of the body stores nothing`(rows: Int) async throws {
        try await withTable { session, _ in
            await #expect(throws: Refusal.self) {
                try await session.copyIn(unsafeSQL: "copied (n)") { writer in
                    for number in 0..<rows { try writer.row(number) }
                    throw Refusal()
                }
            }
            #expect(session.isOpen && session.isIdle)
            try await #expect(count(session) == 0)
        }
    }

    @Test func `an error of the server is thrown, whether it comes early or late`() async throws {
        try await withTable { session, _ in
            for repeated in [1, 99_999] {
                let error = try await postgresError {
                    try await session.copyIn(unsafeSQL: "copied (n)") { writer in
                        for number in 0..<Self.rows { try writer.row(number == repeated ? 0 : number) }
                    }
                }
                #expect(error.sqlState == "23505")
                try await #expect(count(session) == 0)
            }
            let absent = try await postgresError { try await session.copyIn(unsafeSQL: "nowhere") { _ in } }
            #expect(absent.sqlState == "42P01")
            let width = try await postgresError {
                try await session.copyIn(unsafeSQL: "copied (n)") { writer in try writer.row(1, 2) }
            }
            #expect(width.sqlState == "22P04")
            try await #expect(count(session) == 0)
        }
    }

    @Test func `an error of the body ends a copy that the server sends, at any row`() async throws {
        try await withTable { session, _ in
            for last in [1, 3, 70_000] {
                let seen = Atomic(0)
                await #expect(throws: Refusal.self) {
                    try await session.copyOut(unsafeSQL: "(select generate_series(1, \(Self.rows)))") { _ in
                        if seen.add(1, ordering: .relaxed).newValue == last { throw Refusal() }
                    }
                }
                #expect(seen.load(ordering: .relaxed) == last)
                #expect(session.isOpen && session.isIdle)
                try await #expect(session.first(Echo(last)) == last)
            }
            // All rows have arrived by then: there is nothing left to wait for.
            await #expect(throws: Refusal.self) {
                try await session.copyOut(unsafeSQL: "(values (1), (2), (3))") { _ in throw Refusal() }
            }
            #expect(session.isOpen)
            try await #expect(session.first(Echo(1)) == 1)
        }
    }

    @Test func `an error of the server in the middle of what it sends is thrown`() async throws {
        try await withTable { session, _ in
            let error = try await postgresError {
                try await session.copyOut(unsafeSQL: "(select 1 / (5000 - n) from generate_series(1, 10000) as s(n))") {
                    _ in
                }
            }
            #expect(error.sqlState == "22012")
            try await #expect(session.first(Echo(1)) == 1)
        }
    }

    @Test func `a column of COPY that does not decode is an error that names its number`() async throws {
        try await withTable { session, _ in
            let error = try await postgresError {
                try await session.copyOut(unsafeSQL: "(select 1::bigint, null)") { row in
                    _ = try row.decode(Int.self, at: 0)
                    _ = try row.decode(Int.self, at: 1)
                }
            }
            #expect(error.code == .decoding)
            #expect(error.message.contains("column 2"))
            let absent = try await postgresError {
                try await session.copyOut(unsafeSQL: "(select 1::bigint)") { row in _ = try row.decode(Int.self, at: 1)
                }
            }
            #expect(absent.code == .decoding)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a server that falls silent while rows are written loses its connection`() async throws {
        // On a server of its own: those who make databases wait for a session that stands still.
        try await withTestServer { server in
            var configuration = PostgresConfiguration(url: server.url())
            configuration.answerTimeout = .seconds(3)
            try await withSession(configuration) { session in
                try await session.run(unsafeSQL: "create temporary table copied (n bigint)")
                let pid = try await session.backendPID()
                defer { kill(pid, SIGCONT) }
                let error = try await postgresError {
                    try await session.copyIn(unsafeSQL: "copied") { writer in
                        kill(pid, SIGSTOP)
                        while true { try writer.row(1) }
                    }
                }
                #expect(error.code == .connectionLost)
                #expect(error.message.contains("did not answer"), "\(error)")
                #expect(!session.isOpen)
            }
        }
    }

    @Test func `a copy may take longer than the server may be silent`() async throws {
        try await withTable { _, given in
            var configuration = given
            configuration.answerTimeout = .seconds(3)
            @Sendable func dawdle() { Thread.pause(.milliseconds(3_100)) }
            try await withSession(configuration) { session in
                let stored = try await session.copyIn(unsafeSQL: "copied (n)") { writer in
                    dawdle()
                    try writer.row(1)
                }
                #expect(stored == 1)
                await #expect(throws: Refusal.self) {
                    try await session.copyIn(unsafeSQL: "copied (n)") { _ in
                        dawdle()
                        throw Refusal()
                    }
                }
                let seen = Atomic(0)
                try await session.copyOut(unsafeSQL: "(select generate_series(1, \(Self.rows)))") { _ in
                    if seen.add(1, ordering: .relaxed).newValue == 1 { dawdle() }
                }
                #expect(seen.load(ordering: .relaxed) == Self.rows)
                try await #expect(count(session) == 1)
            }
        }
    }

    @Test func `cancellation while rows are written stores nothing`() async throws {
        try await withTable { session, _ in
            let isWriting = Gate()
            let task = Task {
                try await session.copyIn(unsafeSQL: "copied (n)") { writer in
                    var number = 0
                    // Without end: only the cancellation stops it.
                    while true {
                        try writer.row(number)
                        number += 1
                        if number == 50_000 { isWriting.open() }
                    }
                }
            }
            await isWriting.pass()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(session.isOpen && session.isIdle)
            try await #expect(count(session) == 0)
        }
    }

    @Test func `cancellation while the server is busy with the rows stores nothing`() async throws {
        try await withTable { session, configuration in
            try await withSession(configuration) { observer in
                try await session.run(
                    unsafeSQL: """
                        create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(60); return new; end';
                        create trigger linger before insert on copied for each row execute function linger()
                        """
                )
                let pid = try await session.backendPID()
                let task = Task {
                    try await session.copyIn(unsafeSQL: "copied (n)") { writer in try writer.row(1) }
                }
                try await observer.waitUntil(session: pid, waitsFor: "PgSleep")
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(session.isOpen && session.isIdle)
                try await #expect(count(session) == 0)
            }
        }
    }

    @Test func `cancellation while rows keep coming ends the copy`() async throws {
        try await withTable { session, _ in
            let isReading = Gate()
            let task = Task {
                try await session.copyOut(unsafeSQL: "(select generate_series(1, 2000000000))") { _ in isReading.open()
                }
            }
            await isReading.pass()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(session.isOpen && session.isIdle)
            try await #expect(session.first(Echo(1)) == 1)
        }
    }
}
