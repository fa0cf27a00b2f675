import Testing

@testable import EventModel

@Suite struct WholeNumberTests {
    @Test(
        arguments: [
            ("100", 100), ("100.0", 100), ("1e2", 100), ("1.5e1", 15), ("-1.20E+1", -12), ("1000e-3", 1), ("0.0", 0),
            ("-0.0", 0),
            ("0e400", 0), ("9007199254740993.0", 9_007_199_254_740_993), ("9223372036854775807.0", Int.max),
            ("-9223372036854775808", Int.min), ("1.5", nil), ("1e-1", nil), ("1.00000000000000000001", nil),
            ("9223372036854775808", nil), ("1e19", nil),
        ] as [(String, Int?)]
    )
    func `a whole number is one however it is written`(text: String, number: Int?) throws {
        #expect(Int(wholeNumber: text) == number)
        #expect(try JSONValue(json: Array(text.utf8)).integer == number)
    }
}
