import Logging
import Postgres
import RecorderTesting
import Synchronization
import Testing

/// Statements, scripts, notices and the session's settings.
@Suite struct PostgresConnectionTests {
    // MARK: Prepared statements

    @Test func `a statement is prepared once a connection`() async throws {
        try await withSession { session in
            for number in 0..<50 { try await #expect(session.first(Echo(number)) == number) }
            for number in 0..<50 { try await #expect(session.first(Echo(String(number))) == String(number)) }
            let prepared = try await session.query(
                Column<Int>("select count(*) from pg_prepared_statements where statement like 'select $1 as value%'")
            )
            #expect(prepared == [2], "one with a bigint, one with a text")
        }
    }

    @Test func `a plan that DDL made invalid is made anew`() async throws {
        try await withSession { session in
            try await session.run(unsafeSQL: "create table shape (a int); insert into shape values (1)")
            let statement = Column<Int?>("select * from shape")
            try await #expect(session.query(statement) == [1])
            try await session.run(unsafeSQL: "alter table shape alter a type bigint")
            try await #expect(session.query(statement) == [1])
            try await session.run(unsafeSQL: "alter table shape add b int")
            // In a pipeline as well.
            let (rows, _) = try await session.pipeline(statement, InsertNumber(1))
            #expect(rows == [1])
            try await #expect(session.numbers() == [1])
        }
    }

    @Test func `a plan that became invalid inside a transaction is reported, and retried where that was asked`()
        async throws
    {
        try await withSession { session in
            try await session.run(unsafeSQL: "create table shape (a int); insert into shape values (1)")
            let statement = Column<Int>("select * from shape")
            _ = try await session.query(statement)
            try await session.run(unsafeSQL: "alter table shape add b int")
            let error = try await postgresError {
                try await session.transaction { session in try await session.query(statement) }
            }
            #expect(error.sqlState == "0A000")
            #expect(error.isRetryable)
            try await session.run(unsafeSQL: "alter table shape add c int")
            let rows = try await session.transaction(retries: 1) { session in try await session.query(statement) }
            #expect(rows == [1])
        }
    }

    @Test func `statements that a script deallocated are prepared again`() async throws {
        try await withSession { session in
            try await #expect(session.first(Echo(1)) == 1)
            try await session.run(unsafeSQL: "discard all")
            try await #expect(session.first(Echo(2)) == 2)
        }
    }

    @Test func `a statement that does not parse leaves the connection usable`() async throws {
        try await withSession { session in
            for _ in 0..<3 {
                let error = try await postgresError { try await session.execute(Command("selekt 1")) }
                #expect(error.sqlState == "42601")
            }
            try await #expect(session.first(Echo(1)) == 1)
        }
    }

    @Test func `rows touched are counted`() async throws {
        try await withSession { session in
            try await #expect(session.execute(Command("insert into numbers select generate_series(1, 7)")) == 7)
            try await #expect(session.execute(Command("update numbers set n = n + 10 where n > 3")) == 4)
            try await #expect(session.execute(Command("delete from numbers where false")) == 0)
            try await #expect(session.execute(Command("create table other ()")) == 0)
        }
    }

    @Test func `the first of many rows, or none`() async throws {
        try await withSession { session in
            try await #expect(session.first(Column<Int>("select generate_series(3, 9)")) == 3)
            try await #expect(session.first(Column<Int>("select 1 where false")) == nil)
        }
    }

    // MARK: Scripts

    @Test func `a script runs several statements, and gives the rows of the last as text`() async throws {
        try await withSession { session in
            let rows = try await session.text(
                unsafeSQL: "insert into numbers values (1); select 0; select n, null, 'ż' from numbers"
            )
            #expect(rows == [["1", nil, "ż"]])
            try await #expect(session.text(unsafeSQL: "") == [])
        }
    }

    @Test func `a script that fails in the middle does nothing, and the connection goes on`() async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.run(unsafeSQL: "insert into numbers values (1); select 1 / 0; select 2")
            }
            #expect(error.sqlState == "22012")
            try await #expect(session.numbers() == [])
        }
    }

    @Test func `a NUL in the SQL is refused, since C would stop reading there`() async throws {
        try await withSession { session in
            let script = try await postgresError {
                try await session.run(unsafeSQL: "insert into numbers values (1)\u{0}; rollback")
            }
            #expect(script.code == .misuse)
            let statement = try await postgresError { try await session.execute(Command("select 1\u{0}")) }
            #expect(statement.code == .misuse)
            try await #expect(session.numbers() == [])
        }
    }

    @Test func `COPY outside copyIn and copyOut is an error, and nothing wedges`() async throws {
        try await withDatabase { configuration in
            for sql in ["copy numbers from stdin", "copy numbers to stdout"] {
                let session = try await PostgresConnection.connect(configuration)
                let error = try await postgresError { try await session.run(unsafeSQL: sql) }
                #expect(error.code == .misuse)
                #expect(!session.isOpen)
            }
        }
    }

    @Test func `a closed connection says so`() async throws {
        try await withSession { session in
            #expect(session.isOpen && session.looksAlive)
            await session.close()
            #expect(!session.isOpen && !session.looksAlive)
            let error = try await postgresError { try await session.first(Echo(1)) }
            #expect(error.code == .closed)
        }
    }

    @Test func `many tasks may share a connection`() async throws {
        try await withSession { session in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask { try await #expect(session.first(Echo(number)) == number) }
                }
                try await group.waitForAll()
            }
        }
    }

    // MARK: Session

    @Test func `notices reach the logger`() async throws {
        try await withDatabase { configuration in
            let records = Mutex<[(Logger.Level, String, Logger.MetadataValue?)]>([])
            let logger = Logger(label: "notices") { _ in
                RecordingHandler { level, message, metadata in
                    records.withLock { $0.append((level, message, metadata["sqlState"])) }
                }
            }
            try await withSession(configuration, logger: logger) { session in
                try await session.run(
                    unsafeSQL:
                        "do $$ begin raise notice 'mind the gap'; raise warning using message = 'look out', errcode = '01234'; end $$"
                )
                // PQ exits early on an unknown transaction too: COMMIT outside one warns.
                try await session.run(unsafeSQL: "commit")
            }
            let seen = records.withLock { $0 }
            #expect(seen.map(\.0) == [.info, .warning, .warning])
            #expect(seen.map(\.1) == ["mind the gap", "look out", "there is no transaction in progress"])
            #expect(seen.map(\.2) == ["00000", "01234", "25P01"])
        }
    }

    @Test(arguments: [
        "plain", "with space", "Upper", "quo\"te", "back\\slash", "a,b", "zażółć", "tab\tand\nline", "it's",
    ])
    func `the search path holds one schema, however odd its name`(schema: String) async throws {
        try await withDatabase { given in
            var configuration = given
            try await withSession(given) { session in
                let quoted = PostgresConfiguration.quotedIdentifier(schema)
                try await session.run(unsafeSQL: "create schema \(quoted)")
            }
            configuration.schema = schema
            try await withSession(configuration) { session in
                try await #expect(session.first(Column<String>("select current_schema()")) == schema)
                try await #expect(session.first(Column<[String]>("select current_schemas(false)")) == [schema])
            }
        }
    }

    @Test func `settings hold values with spaces and backslashes, beside those of the URL`() async throws {
        try await withDatabase { given in
            var configuration = given
            configuration.url += " options='-c recorder.other=url -c statement_timeout=7s'"
            configuration.settings = ["recorder.odd": "a b\\c  'd' \"e\"\t"]
            try await withSession(configuration) { session in
                let shown = try await session.first(
                    Column<[String]>(
                        "select array[current_setting('recorder.odd'), current_setting('recorder.other'), current_setting('statement_timeout'), current_setting('jit')]"
                    )
                )
                #expect(shown == ["a b\\c  'd' \"e\"\t", "url", "7s", "off"])
            }
        }
    }

    @Test func `the application's name is the URL's, else the configuration's`() async throws {
        try await withDatabase { given in
            var configuration = given
            configuration.applicationName = "tests"
            try await withSession(configuration) { session in
                try await #expect(
                    session.first(Column<String>("select current_setting('application_name')")) == "tests"
                )
            }
            configuration.url += " application_name=url"
            try await withSession(configuration) { session in
                try await #expect(session.first(Column<String>("select current_setting('application_name')")) == "url")
            }
        }
    }

    @Test func `the session knows its server`() async throws {
        try await withSession { session in
            let pid = try await session.backendPID()
            try await #expect(session.first(Column<Int32>("select pg_backend_pid()")) == pid)
            try await #expect(session.serverVersion() >= 150_000)
        }
    }
}

/// Hands what is logged to a closure.
private struct RecordingHandler: LogHandler {
    let record: @Sendable (Logger.Level, String, Logger.Metadata) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    init(_ record: @escaping @Sendable (Logger.Level, String, Logger.Metadata) -> Void) { self.record = record }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { record(event.level, "\(event.message)", event.metadata ?? [:]) }
}
