import Postgres
import Testing

@Suite struct PostgresPipelineTests {
    @Test func `results come back in order, each with its own type`() async throws {
        try await withSession { session in
            let (number, text, _, many) = try await session.pipeline(
                Echo(7),
                Echo("seven"),
                InsertNumber(7),
                Column<Int>("select generate_series(1, 3)")
            )
            #expect(number == [7] && text == ["seven"] && many == [1, 2, 3])
            try await #expect(session.pipeline([]) == [])
        }
    }

    @Test(arguments: [PostgresConnection.PipelineSync.once, .each])
    func `an error in the middle is thrown, and only with a sync for each have those before taken effect`(
        sync: PostgresConnection.PipelineSync
    ) async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.pipeline(
                    [InsertNumber(1), InsertNumber(2), InsertNumber(1), InsertNumber(3)],
                    sync: sync
                )
            }
            #expect(error.sqlState == "23505")
            #expect(session.isOpen && session.isIdle)
            try await #expect(session.numbers() == (sync == .once ? [] : [1, 2, 3]))
            // The same again, prepared already.
            _ = try? await session.pipeline([InsertNumber(10), InsertNumber(10)], sync: sync)
            try await #expect(session.numbers() == (sync == .once ? [] : [1, 2, 3, 10]))
        }
    }

    @Test func `a statement that does not parse fails the pipeline and is not taken for prepared`() async throws {
        try await withSession { session in
            for _ in 0..<2 {
                let error = try await postgresError {
                    try await session.pipeline([InsertNumber(1), Command("selekt"), InsertNumber(2), Command("selekt")])
                }
                #expect(error.sqlState == "42601")
            }
            try await session.pipeline([InsertNumber(1), InsertNumber(2)])
            try await #expect(session.numbers() == [1, 2])
        }
    }

    @Test(arguments: [PostgresConnection.PipelineSync.once, .each])
    func `a value that cannot be encoded keeps the whole pipeline from being sent`(
        sync: PostgresConnection.PipelineSync
    ) async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.pipeline([InsertNumber(1), Unsendable(), InsertNumber(2)], sync: sync)
            }
            #expect(error.code == .encoding)
            #expect(session.isOpen && session.isIdle)
            try await #expect(session.numbers() == [])
        }
    }

    @Test func `inside a transaction a pipeline is part of it`() async throws {
        try await withSession { session in
            _ = try? await session.transaction { session in
                _ = try await session.pipeline(InsertNumber(1), InsertNumber(2), sync: .each)
                throw CancellationError()
            }
            try await #expect(session.numbers() == [])
            try await session.transaction { session in
                _ = try await session.pipeline(InsertNumber(1), InsertNumber(2))
            }
            try await #expect(session.numbers() == [1, 2])
        }
    }

    @Test(arguments: [PostgresConnection.PipelineSync.once, .each])
    func `10,000 statements go through, and each SQL is prepared once`(
        sync: PostgresConnection.PipelineSync
    ) async throws {
        try await withSession { session in
            let inserts = (0..<10_000).map { InsertNumber($0) as any PostgresStatement }
            let counts = try await session.pipeline(inserts, sync: sync)
            #expect(counts == [Int](repeating: 1, count: 10_000))
            try await #expect(session.first(Column<Int>("select count(*) from numbers")) == 10_000)
            let prepared = Column<Int>("select count(*) from pg_prepared_statements where statement like 'insert%'")
            try await #expect(session.first(prepared) == 1)
        }
    }

    @Test func `large values go both ways at once without a deadlock`() async throws {
        try await withSession { session in
            let text = String(repeating: "x", count: 1 << 20)
            let (a, b, c, d) = try await session.pipeline(
                Echo([text, text, text, text]),
                Echo([text, text, text, text]),
                Echo([text, text, text, text]),
                Echo([text, text, text, text])
            )
            #expect([a, b, c, d].allSatisfy { $0.first?.count == 4 && $0.first?.last == text })
        }
    }

    @Test func `a row that does not decode is an error after which the connection goes on`() async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.pipeline(InsertNumber(1), Column<Int>("select 'x'::text as word"), InsertNumber(2))
            }
            #expect(error.code == .decoding)
            #expect(error.column == "word")
            try await #expect(session.numbers() == [1, 2], "the statements succeeded; only reading the answer failed")
        }
    }
}
