import EventModel
import ReadModel
import Testing

/// Exact arithmetic on money.
@Suite struct MoneyArithmeticTests {
    @Test(
        arguments: [
            ("0.1", "0.2", "0.3"), ("1", "-1", "0"), ("0.00000000000000000000000000000000000000001", "1e2", nil),
            ("999999999999999999999999.99", "0.01", "1000000000000000000000000.00"), ("-5", "2.5", "-2.5"),
            ("2.5", "-5", "-2.5"),
            ("0.00006540", "0.00207", "0.00213540"),
        ] as [(String, String, String?)]
    )
    func `sums lose no digit`(_ left: String, _ right: String, _ sum: String?) throws {
        let a = try #require(Money(decimal: left))
        let b = try #require(Money(decimal: right))
        #expect((a + b).text == sum ?? "100.00000000000000000000000000000000000000001")
        #expect(a + b == b + a)
    }

    @Test func `products lose no digit`() throws {
        let price = try #require(Money("0.00000000000012345678901234567890123456789"))
        #expect((1_000_000 * price).text == "0.00000012345678901234567890123456789000000")
        #expect((0 * price).text.allSatisfy { "0.".contains($0) })
        #expect((-3 * (try #require(Money("1.5")))).text == "-4.5")
    }

    @Test func `exponents are written out`() {
        #expect(Money(decimal: "1.5e-7")?.text == "0.00000015")
        #expect(Money(decimal: "1e\(Int.min)") == nil && Money(decimal: "1e\(Int.max)") == nil)
        #expect(Money(decimal: "1.5E3")?.text == "1500")
        #expect(Money(decimal: "1.25e1")?.text == "12.5")
        #expect(Money(decimal: "-2e-2")?.text == "-0.02")
        for bad in ["", "e3", "1e", "1e9999", "NaN", "1e2e3", "0x1"] { #expect(Money(decimal: bad) == nil) }
    }
}
