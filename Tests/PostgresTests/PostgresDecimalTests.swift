import Postgres
import Testing

@Suite struct PostgresDecimalTests {
    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("-0.00", "0.00"), ("007.50", "7.50"), ("+1", "1"), (".5", "0.5"), ("1.", "1"),
        ("1e3", "1000"), ("1.5e3", "1500"), ("1.500E2", "150.0"), ("1e-7", "0.0000001"), ("0.001e2", "0.1"),
        ("-12e-1", "-1.2"), ("0e5", "0"), ("0e-3", "0.000"), ("0e199999", "0"), ("1e+2", "100"),
        ("9999.9999", "9999.9999"), ("10000", "10000"), ("0.00010000", "0.00010000"),
        ("100000000.0001", "100000000.0001"),
        ("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity"),
    ])
    func `text is read as the server reads it`(text: String, printed: String) async throws {
        let value = try #require(PostgresDecimal(text))
        #expect(value.description == printed)
        #expect(PostgresDecimal(printed) == value)
        try await withSession { session in
            let server = try await session.first(Column<PostgresDecimal>("select '\(text)'::numeric"))
            #expect(server == value)
            try await #expect(session.first(Printed(value)) == printed)
        }
    }

    @Test(arguments: [
        "", " 1", "1 ", "1e", "1e+", "e5", "-", ".", "1.2.3", "0x10", "1_000", "１", "--1", "1e1.5",
        "1e99999999999999999999",
        "1e-9223372036854775808", "1e9223372036854775807", "1e200001", "1e131072", "1e-16384", "nan", "inf", "1\u{0}",
    ])
    func `what is no number, or none that numeric holds, is refused`(text: String) {
        #expect(PostgresDecimal(text) == nil)
    }

    @Test(arguments: 1...40)
    func `a field made of text without memory of its own is the same`(seed: Int) throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var text = ["", "-", "", "+"].randomElement(using: &random) ?? ""
            let digits = Int.random(in: 0...(seed % 22), using: &random)
            for _ in 0..<digits {
                text += Bool.random(using: &random) ? "0" : "\(Int.random(in: 0...9, using: &random))"
            }
            if Bool.random(using: &random) { text += "." }
            for _ in 0..<Int.random(in: 0...8, using: &random) { text += "\(Int.random(in: 0...9, using: &random))" }
            if Int.random(in: 0..<8, using: &random) == 0 {
                text += ["e3", "E-2", ".", "x", " "].randomElement() ?? ""
            }
            var expected = PostgresBuffer()
            let decimal = PostgresDecimal(text)
            if let decimal { expected.append(field: decimal) }
            let bytes = Array("[\(text)]".utf8)
            var found = PostgresBuffer()
            let isNumber = found.append(decimalField: bytes.span, in: 1..<bytes.count - 1)
            #expect(isNumber == (decimal != nil), "\(text)")
            #expect(found.bytes == expected.bytes, "\(text)")
        }
    }

    @Test func `the largest and the smallest numbers that numeric holds survive`() async throws {
        let largest = String(repeating: "9", count: 131_072)
        let smallest = "-0." + String(repeating: "0", count: 16_382) + "1"
        let widest = largest + "." + String(repeating: "7", count: 16_383)
        try await withSession { session in
            for text in [largest, smallest, widest] {
                let value = try #require(PostgresDecimal(text))
                #expect(value.description == text)
                try await #expect(session.first(Echo(value)) == value)
                try await #expect(session.first(Printed(value)) == text)
            }
            try await #expect(session.first(Printed(try #require(PostgresDecimal("-1e-16383")))) == smallest)
        }
        #expect(PostgresDecimal("1" + largest) == nil)
        #expect(PostgresDecimal("0." + String(repeating: "1", count: 16_384)) == nil)
    }

    @Test func `random numbers are the server's, digit for digit and byte for byte`() async throws {
        var generator = SystemRandomNumberGenerator()
        let texts = (0..<2_000).map { _ in Self.randomText(&generator) }
        let values = try texts.map { try #require(PostgresDecimal($0), "\($0)") }
        try await withSession { session in
            // What the server made of the text, as text and in its own binary form.
            struct Compare: PostgresStatement {
                let texts: [String]
                let values: [PostgresDecimal]
                let sql = """
                    select v::text, t::numeric::text, numeric_send(v) = numeric_send(t::numeric), t::numeric
                    from unnest($1, $2) with ordinality as u(t, v, i) order by i
                    """
                func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
                    try parameters.append(texts)
                    try parameters.append(values)
                }
                func decode(
                    _ row: borrowing PostgresRow
                ) throws(PostgresError) -> (sent: String, own: String, isSame: Bool, read: PostgresDecimal) {
                    (try row.decode(at: 0), try row.decode(at: 1), try row.decode(at: 2), try row.decode(at: 3))
                }
            }
            let rows = try await session.query(Compare(texts: texts, values: values))
            #expect(rows.count == texts.count)
            for (index, row) in rows.enumerated() {
                #expect(row.sent == row.own, "\(texts[index])")
                #expect(row.isSame, "\(texts[index])")
                #expect(row.read == values[index], "\(texts[index])")
                #expect(values[index].description == row.own, "\(texts[index])")
            }
        }
    }

    private static func randomText(_ generator: inout SystemRandomNumberGenerator) -> String {
        func digits(_ count: Int) -> String {
            // Zeros often, for groups that vanish.
            (0..<count).map { _ in
                Bool.random(using: &generator) ? "0" : String(Int.random(in: 0...9, using: &generator))
            }.joined()
        }
        var text = ["", "-", "+"].randomElement(using: &generator) ?? ""
        text += digits(Int.random(in: 1...30, using: &generator))
        if Bool.random(using: &generator) { text += "." + digits(Int.random(in: 0...30, using: &generator)) }
        if Bool.random(using: &generator) { text += "e\(Int.random(in: -60...60, using: &generator))" }
        return text
    }
}
