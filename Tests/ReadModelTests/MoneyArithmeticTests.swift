import EventModel
import Testing

@testable import ReadModel

/// Exact arithmetic on money.
@Suite struct MoneyArithmeticTests {
    @Test(
        arguments: [
            ("0.1", "0.2", "0.3"), ("1", "-1", "0"), ("0.00000000000000000000000000000000000000001", "100", nil),
            ("999999999999999999999999.99", "0.01", "1000000000000000000000000.00"), ("-5", "2.5", "-2.5"),
            ("2.5", "-5", "-2.5"),
            ("0.00006540", "0.00207", "0.00213540"),
        ] as [(String, String, String?)]
    )
    func `sums lose no digit`(_ left: String, _ right: String, _ sum: String?) throws {
        let a = try #require(Money(left))
        let b = try #require(Money(right))
        #expect((a + b).text == sum ?? "100.00000000000000000000000000000000000000001")
        #expect(a + b == b + a)
    }

    @Test func `products lose no digit`() throws {
        let price = try #require(Money("0.00000000000012345678901234567890123456789"))
        #expect((1_000_000 * price).text == "0.00000012345678901234567890123456789000000")
        #expect((0 * price).text == "0.00000000000000000000000000000000000000000")
        #expect((-3 * (try #require(Money("1.5")))).text == "-4.5")
    }

    @Test func `a price holds from its moment on, until the next one's`() throws {
        let moments = [100, 200].map { Timestamp(microseconds: $0) }
        let prices = try zip(moments, ["1", "2"]).flatMap { moment, price in
            let usd = try #require(Money(price))
            return [ModelPrice.Kind.input, .output].map {
                ModelPrice(model: "m", kind: $0, usdPerToken: usd, validFrom: moment)
            }
        }
        let data = try JSONValue(json: Array(#"{"model":"m","inputTokens":1,"outputTokens":1}"#.utf8))
        for (moment, cost) in [(99, nil), (100, "2"), (199, "2"), (200, "4")] as [(Int64, String?)] {
            let found = PriceList(prices).cost(of: data, at: Timestamp(microseconds: moment))
            #expect(found?.text == cost, "\(moment)")
        }
    }

    @Test func `an amount in JSON may have an exponent, which is written out`() throws {
        func text(_ amount: String) throws -> String? { try JSONValue(json: Array("\"\(amount)\"".utf8)).money?.text }
        #expect(try text("1.5e-7") == "0.00000015")
        #expect(try text("1e\(Int.min)") == nil && text("1e\(Int.max)") == nil)
        #expect(try text("1.5E3") == "1500")
        #expect(try text("1.25e1") == "12.5")
        #expect(try text("-2e-2") == "-0.02")
        for bad in ["", "e3", "1e", "1e9999", "NaN", "1e2e3", "0x1"] { #expect(try text(bad) == nil) }
    }
}
