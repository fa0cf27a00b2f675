import Postgres
import Testing

@Suite struct PostgresErrorTests {
    private let tables = """
        create schema shop;
        create table shop.person (id int constraint person_key primary key, name text not null,
            age int constraint adult check (age >= 18));
        create table shop.pet (owner int constraint owned references shop.person);
        """

    @Test func `a violation names constraint and table, and its detail stays out of the description`()
        async throws
    {
        try await withSession { session in
            try await session.run(unsafeSQL: tables)
            try await session.run(unsafeSQL: "insert into shop.person values (4711, 'Ada', 36)")
            let unique = try await postgresError {
                try await session.run(unsafeSQL: "insert into shop.person values (4711, 'Eve', 20)")
            }
            #expect(unique.code == .server)
            #expect(unique.sqlState == "23505")
            #expect(unique.constraint == "person_key")
            #expect(unique.table == "person")
            #expect(unique.detail == "Key (id)=(4711) already exists.")
            #expect(!unique.description.contains("4711"))
            #expect(unique.description.contains("person_key") && unique.description.contains("23505"))
            #expect(!unique.isRetryable)

            let check = try await postgresError {
                try await session.run(unsafeSQL: "insert into shop.person values (1, 'secret name', 7)")
            }
            #expect(check.sqlState == "23514")
            #expect(check.constraint == "adult")
            #expect(!check.description.contains("secret"))

            let foreign = try await postgresError {
                try await session.run(unsafeSQL: "insert into shop.pet values (9)")
            }
            #expect(foreign.sqlState == "23503")
            #expect(foreign.table == "pet")
            #expect(foreign.constraint == "owned")
        }
    }

    @Test func `a NULL where the table allows none names the column`() async throws {
        try await withSession { session in
            try await session.run(unsafeSQL: tables)
            let error = try await postgresError {
                try await session.run(unsafeSQL: "insert into shop.person (id, age) values (1, 20)")
            }
            #expect(error.sqlState == "23502")
            #expect(error.column == "name")
            #expect(error.table == "person")
        }
    }

    @Test func `hint and context are kept`() async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.run(
                    unsafeSQL: """
                        do $$ begin
                            raise exception 'wrong version' using errcode = 'RC001', hint = 'read it again', detail = 'has 3';
                        end $$
                        """
                )
            }
            #expect(error.message == "wrong version")
            #expect(error.sqlState == "RC001")
            #expect(error.hint == "read it again")
            #expect(error.detail == "has 3")
            #expect(error.context?.contains("PL/pgSQL") == true)
            #expect(error.description == "wrong version (SQLSTATE RC001); read it again")
        }
    }

    @Test func `a data exception does not quote the value, whatever the server's language`() async throws {
        struct Cast: PostgresStatement {
            let text: String
            let type: String
            var sql: String { "select $1::text::\(type)" }
            func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(text) }
        }
        try await withSession { session in
            for (text, type, description) in [
                ("secret", "integer", "invalid text representation (SQLSTATE 22P02)"),
                ("se\"cret", "uuid", "invalid text representation (SQLSTATE 22P02)"),
                ("secret", "jsonb", "invalid text representation (SQLSTATE 22P02)"),
                ("secret", "timestamptz", "invalid datetime format (SQLSTATE 22007)"),
                ("777777777777", "integer", "numeric value out of range (SQLSTATE 22003)"),
            ] {
                let error = try await postgresError { try await session.execute(Cast(text: text, type: type)) }
                #expect(error.description == description)
            }
            // Without quotation marks in any language.
            let date = try await postgresError { try await session.execute(Command("select make_date(4711, 13, 45)")) }
            #expect(date.description == "datetime field overflow (SQLSTATE 22008)")
            let rare = try await postgresError { try await session.execute(Command("select substring('a', 1, -4711)")) }
            #expect(rare.description == "data exception (SQLSTATE 22011)")
        }
    }

    @Test func `what a function raises is kept, also as a data exception`() async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.run(
                    unsafeSQL: "do $$ begin raise exception 'a \"limit\" is above 0' using errcode = '22023'; end $$"
                )
            }
            #expect(error.description == "a \"limit\" is above 0 (SQLSTATE 22023)")
        }
    }

    @Test func `a place in the text that was sent is told, one in a function not`() async throws {
        try await withSession { session in
            let here = try await postgresError { try await session.run(unsafeSQL: "select '😀'; selekt 1") }
            #expect(here.position == 13)
            let inside = try await postgresError {
                try await session.run(unsafeSQL: "do $$ begin execute 'selekt 1'; end $$")
            }
            #expect(inside.sqlState == "42601" && inside.position == nil)
        }
    }

    @Test func `what may be tried again says so`() {
        func error(_ code: PostgresError.Code, _ sqlState: String? = nil) -> PostgresError {
            var error = PostgresError(code, "")
            error.sqlState = sqlState
            return error
        }
        for code in [PostgresError.Code.connectionFailed, .connectionLost, .timedOut] {
            #expect(error(code).isRetryable)
        }
        for code in [PostgresError.Code.closed, .encoding, .decoding, .misuse, .server] {
            #expect(!error(code).isRetryable)
        }
        for state in ["40001", "40P01", "53300", "57P01", "57P03", "08006"] {
            #expect(error(.server, state).isRetryable, "\(state)")
        }
        for state in ["23505", "42601", "57014", "22P02"] { #expect(!error(.server, state).isRetryable, "\(state)") }
    }
}
