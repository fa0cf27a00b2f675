import FoundationEssentials
import Postgres
import Testing

/// Every type there and back, at its extremes.
@Suite struct PostgresValueTests {
    /// Sends each value and compares what comes back, and what the server prints.
    private func check<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [Value],
        printed: [String]? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try #require(values.count == printed?.count ?? values.count, sourceLocation: sourceLocation)
        try await withSession { session in
            for (index, value) in values.enumerated() {
                let echo = try await session.first(Echo(value))
                #expect(echo == value, sourceLocation: sourceLocation)
                if let printed {
                    let text = try await session.first(Printed(value))
                    #expect(text == printed[index], sourceLocation: sourceLocation)
                }
            }
            // The same as an array with NULLs, as an empty one, and as a NULL alone.
            let sparse: [Value?] = [nil] + values.map(Optional.some) + [nil]
            try await #expect(session.first(Echo(sparse)) == sparse, sourceLocation: sourceLocation)
            try await #expect(session.first(Echo(values)) == values, sourceLocation: sourceLocation)
            try await #expect(session.first(Echo([Value]())) == [], sourceLocation: sourceLocation)
            try await #expect(session.first(Echo(Value?.none)) == .some(nil), sourceLocation: sourceLocation)
        }
    }

    @Test func booleans() async throws {
        try await check([true, false], printed: ["true", "false"])
    }

    @Test func `integers of every width`() async throws {
        try await check([Int16.min, -1, 0, .max], printed: ["-32768", "-1", "0", "32767"])
        try await check([Int32.min, -1, 0, .max], printed: ["-2147483648", "-1", "0", "2147483647"])
        let extremes = ["-9223372036854775808", "-1", "0", "9223372036854775807"]
        try await check([Int64.min, -1, 0, .max], printed: extremes)
        try await check([Int.min, -1, 0, .max], printed: extremes)
    }

    @Test func `doubles, infinities and subnormals among them`() async throws {
        try await check(
            [
                0.1 + 0.2, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .leastNormalMagnitude, -.infinity,
                .infinity,
            ],
            printed: [
                "0.30000000000000004", "1.7976931348623157e+308", "5e-324", "2.2250738585072014e-308", "-Infinity",
                "Infinity",
            ]
        )
        try await withSession { session in
            let nan = try #require(try await session.first(Echo(Double.nan)))
            #expect(nan.isNaN)
            let zero = try #require(try await session.first(Echo(-0.0)))
            #expect(zero.bitPattern == (-0.0).bitPattern)
        }
    }

    @Test func `floats, infinities and subnormals among them`() async throws {
        try await check(
            [Float(0.1), .greatestFiniteMagnitude, .leastNonzeroMagnitude, -.infinity, .infinity],
            printed: ["0.1", "3.4028235e+38", "1e-45", "-Infinity", "Infinity"]
        )
        try await withSession { session in
            let nan = try #require(try await session.first(Echo(Float.nan)))
            #expect(nan.isNaN)
        }
    }

    @Test func `strings, empty, of many bytes a character, and of a megabyte`() async throws {
        try await check(
            ["", " ", "zażółć gęślą jaźń", "👩‍👩‍👧‍👦 e\u{301}", "'; drop table numbers; --", "\u{1}\u{7F}\u{10FFFF}"],
            printed: nil
        )
        try await withSession { session in
            let long = String(repeating: "ż", count: 1 << 19)
            try await #expect(session.first(Echo(long)) == long)
        }
    }

    @Test func `a NUL in a string is refused by the server, and the connection goes on`() async throws {
        try await withSession { session in
            let error = try await postgresError { try await session.first(Echo("a\u{0}b")) }
            #expect(error.sqlState == "22021")
            try await #expect(session.first(Echo("ab")) == "ab")
        }
    }

    @Test func `identifiers`() async throws {
        let texts = [
            "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "0190163d-8694-739b-aea5-966c26f8ad91",
        ]
        try await check(texts.compactMap { UUID(uuidString: $0) }, printed: texts)
    }

    @Test func `timestamps from 4713 BC to 294276 AD and the infinities`() async throws {
        let texts = [
            "4714-11-24 00:00:00+00 BC", "1969-12-31 23:59:59.999999+00", "1970-01-01 00:00:00+00",
            "2000-01-01 00:00:00+00", "2026-03-02 08:00:09.6616+00", "294276-12-31 23:59:59.999999+00", "infinity",
            "-infinity",
        ]
        let values: [PostgresTimestamp] = try await withSession { session in
            var values: [PostgresTimestamp] = []
            for text in texts {
                let value = try await session.first(Column<PostgresTimestamp>("select timestamptz '\(text)'"))
                values.append(try #require(value))
            }
            return values
        }
        #expect(values[1].unixMicroseconds == -1)
        #expect(values[2].unixMicroseconds == 0)
        #expect(values[4].unixMicroseconds == 1_772_438_409_661_600)
        #expect(values[6] == .infinity && values[7] == .negativeInfinity)
        try await check(values, printed: texts)
        for value in values where value != values[5] {
            #expect(PostgresTimestamp(unixMicroseconds: value.unixMicroseconds) == value)
        }
    }

    @Test func `moments that the server or an integer cannot hold become infinities`() throws {
        let beforeAll: [Int64] = [.min, .min + 1, -211_813_488_000_000_000 + 946_684_800_000_000 - 1]
        for moment in beforeAll { #expect(PostgresTimestamp(unixMicroseconds: moment) == .negativeInfinity) }
        #expect(PostgresTimestamp(unixMicroseconds: .max) == .infinity)
        #expect(PostgresTimestamp(microseconds: 9_223_371_331_199_999_999).unixMicroseconds == .max)
    }

    @Test func `bytes, none, NULs and all values`() async throws {
        try await check(
            [PostgresBytea([]), PostgresBytea([0, 0, 0]), PostgresBytea(Array(0...255))],
            printed: ["\\x", "\\x000000", "\\x" + (0...255).map { hexadecimal($0) }.joined()]
        )
    }

    private func hexadecimal(_ byte: Int) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    @Test func `JSON as jsonb, and read from json as it was written`() async throws {
        try await check(
            [PostgresJSON("null"), PostgresJSON("\"\""), PostgresJSON("{\"a\": [1.50, \"ż\"]}"), PostgresJSON("[]")],
            printed: ["null", "\"\"", "{\"a\": [1.50, \"ż\"]}", "[]"]
        )
        try await withSession { session in
            let json = try await session.first(Column<PostgresJSON>("select '{\"b\":1,   \"a\":2}'::json"))
            #expect(json?.text == "{\"b\":1,   \"a\":2}")
            let array = try await session.first(Column<[PostgresJSON?]>("select array['1'::json, null]"))
            #expect(array == [PostgresJSON("1"), nil])
        }
    }

    @Test func `transaction identifiers above 32 bits`() async throws {
        try await check(
            [PostgresXID8(0), PostgresXID8(1 << 32), PostgresXID8(.max)],
            printed: ["0", "4294967296", "18446744073709551615"]
        )
    }

    @Test func snapshots() async throws {
        let texts = ["1:1:", "10:20:10,14,15", "4294967299:9223372036854775807:4294967299,5000000000"]
        try await check(texts.compactMap { PostgresSnapshot($0) }, printed: texts)
        try await withSession { session in
            let current = try #require(
                try await session.first(Column<PostgresSnapshot>("select pg_current_snapshot()"))
            )
            #expect(current.xmin <= current.xmax)
        }
    }

    @Test func `decimals of every kind`() async throws {
        let texts = ["0", "0.00", "-0.0000001", "12345678901234567890.123456789", "NaN", "Infinity", "-Infinity"]
        try await check(texts.compactMap { PostgresDecimal($0) }, printed: texts)
    }

    // MARK: Widening

    @Test func `a wider integer reads a narrower column, never the other way round`() async throws {
        try await withSession { session in
            try await #expect(session.first(Column<Int>("select (-7)::smallint")) == -7)
            try await #expect(session.first(Column<Int64>("select (-7)::integer")) == -7)
            try await #expect(session.first(Column<Int32>("select (-7)::smallint")) == -7)
            try await #expect(session.first(Column<Double>("select 0.5::real")) == 0.5)
            try await #expect(session.first(Column<[Int]>("select array[1, -2]::smallint[]")) == [1, -2])
            let error = try await postgresError { try await session.first(Column<Int32>("select 1::bigint as size")) }
            #expect(error.code == .decoding)
            #expect(error.column == "size")
        }
    }

    @Test func `text is read from every kind of text column`() async throws {
        try await withSession { session in
            for type in ["text", "varchar(5)", "char(3)", "name"] {
                try await #expect(session.first(Column<String>("select 'abc'::\(type)")) == "abc")
            }
            try await #expect(session.first(Column<[String]>("select array['a', 'b']::varchar[]")) == ["a", "b"])
        }
    }

    // MARK: Errors

    @Test func `a column of another type is an error that names column and types`() async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.query(Column<UUID>("select 'x'::text as stream_id"))
            }
            #expect(error.code == .decoding)
            #expect(error.column == "stream_id")
            #expect(error.message == "column stream_id is of type text, which does not read as UUID")
            try await #expect(session.first(Echo(1)) == 1)
        }
    }

    @Test func `a NULL where none is allowed is an error that names the column`() async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.query(Column<Int>("select null::bigint as version"))
            }
            #expect(error.code == .decoding)
            #expect(error.column == "version")
            #expect(error.message == "column version is NULL")
        }
    }

    @Test func `a column that is not there is an error`() async throws {
        struct Second: PostgresStatement {
            let sql = "select 1 as first"
            func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int { try row.decode(at: 1) }
        }
        try await withSession { session in
            let error = try await postgresError { try await session.query(Second()) }
            #expect(error.code == .decoding)
            #expect(error.message == "there is no column 2: the row has 1")
        }
    }

    @Test func `arrays of two dimensions and arrays with NULLs are refused where they do not fit`() async throws {
        try await withSession { session in
            for sql in ["select array[[1, 2], [3, 4]] as grid", "select array[1, null] as grid"] {
                let error = try await postgresError { try await session.query(Column<[Int]>(sql)) }
                #expect(error.code == .decoding)
                #expect(error.column == "grid")
            }
        }
    }

    @Test func `a bytea of 1 GB is refused before it is sent, and so is as much in several parameters`() async throws {
        struct Many: PostgresStatement {
            let parts: [[UInt8]]
            var sql: String { "select 1" }
            func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
                for part in parts { try parameters.append(bytes: part) }
            }
        }
        try await withSession { session in
            let gigabyte = [UInt8](repeating: 7, count: 1 << 30)
            let half = [UInt8](repeating: 7, count: 1 << 29)
            let error = try await postgresError { try await session.execute(Many(parts: [gigabyte])) }
            #expect(error.code == .encoding)
            #expect(error.description.contains("$1"))
            let sum = try await postgresError { try await session.execute(Many(parts: [half, half])) }
            #expect(sum.code == .encoding)
            #expect(sum.description.contains("$2"))
            let value = try await postgresError { try await session.execute(Printed(PostgresBytea(gigabyte))) }
            #expect(value.code == .encoding)
            let copied = try await postgresError {
                try await session.copyIn(unsafeSQL: "numbers (n)") { writer in
                    try writer.row(PostgresBytea(gigabyte))
                }
            }
            #expect(copied.code == .encoding)
            try await #expect(session.first(Echo(1)) == 1)
        }
    }

    @Test func `more parameters than the protocol has are refused before they are sent`() async throws {
        struct Crowd: PostgresStatement {
            let count: Int
            var sql: String { "select $\(count)" }
            func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
                for _ in 0..<count { try parameters.append(true) }
            }
            func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
        }
        try await withSession { session in
            try await #expect(session.first(Crowd(count: 65_535)) == true)
            let error = try await postgresError { try await session.first(Crowd(count: 65_536)) }
            #expect(error.code == .encoding)
        }
    }
}
