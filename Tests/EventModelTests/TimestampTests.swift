import EventModel
import Foundation
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999999Z", -1),
            ("2026-03-02T08:00:09.661600Z", 1_772_438_409_661_600),
            ("2026-03-02T08:00:09.66Z", 1_772_438_409_660_000), ("2026-03-02t08:00:09z", 1_772_438_409_000_000),
            ("2026-03-02 08:00:09Z", 1_772_438_409_000_000), ("2026-03-02T13:45:09+05:45", 1_772_438_409_000_000),
            ("2026-03-01T20:00:09-12:00", 1_772_438_409_000_000), ("2026-03-02T08:00:09-00:00", 1_772_438_409_000_000),
            ("2026-03-02T08:00:09.123456789Z", 1_772_438_409_123_456), ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999), ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("2016-12-31T15:59:60.5-08:00", 1_483_228_800_500_000),
        ] as [(String, Int64)]
    )
    func `a time is read to the microsecond`(text: String, expected: Int64) {
        #expect(Timestamp(text)?.microseconds == expected)
    }

    @Test(arguments: [
        "", "2026", "2026-03-02", "2026-03-02T08:00Z", "2026-03-02T08:00:09", "2026-03-02T08:00:09.Z",
        "2026-3-2T08:00:09Z",
        "2026-03-02T08:00:09+01", "2026-03-02T08:00:09+0100", "2026-03-02T08:00:09+24:00", "2026-03-02T08:00:09+01:60",
        "2026-03-02T24:00:00Z", "2026-03-02T08:60:00Z", "2026-03-02T08:00:61Z", "2026-03-02T08:00:60Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z", "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-03-02T08:00:09.1234567890Z", "-0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01", "2026-03-02T08:00:09Z ", " 2026-03-02T08:00:09Z", "2026-03-02T08:00:09ZZ",
        "２026-03-02T08:00:09Z",
        "2026-03-02T08:00:09,5Z",
    ])
    func `what is no RFC 3339 time is refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `every day of nine centuries goes there and back`() throws {
        var seconds: Int64 = -14_182_940_000
        while seconds < 14_182_940_000 {
            let moment = Timestamp(microseconds: seconds * 1_000_000 + 987_654)
            #expect(Timestamp(moment.description) == moment)
            seconds += 86_400 * 3 + 7
        }
    }

    @Test func `text agrees with Foundation`() {
        let formatter = ISO8601DateFormatter()
        for day in stride(from: -40_000, to: 60_000, by: 37) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400 + 3661)
            #expect(Timestamp(date).description == formatter.string(from: date).replacing("Z", with: ".000000Z"))
        }
    }

    @Test func `moments beyond RFC 3339's years still have a text`() {
        #expect(Timestamp(microseconds: 253_402_300_800_000_000).description == "+10000-01-01T00:00:00.000000Z")
        #expect(Timestamp(microseconds: -62_167_219_200_000_001).description == "-0001-12-31T23:59:59.999999Z")
        #expect(!Timestamp(microseconds: .max).description.isEmpty)
        #expect(!Timestamp(microseconds: .min).description.isEmpty)
    }

    @Test func `arithmetic holds at the ends`() {
        let last = Timestamp(microseconds: .max)
        let first = Timestamp(microseconds: .min)
        #expect(last.advanced(by: .seconds(1)) == last && last.advanced(by: .microseconds(1)) == last)
        #expect(first.advanced(by: .microseconds(-1)) == first && first.advanced(by: .zero) == first)
        #expect(Timestamp.now().advanced(by: .seconds(Int64.max)) == last)
        #expect(Timestamp(microseconds: -1).advanced(by: .seconds(Int64.min)) == first)
        for moment in [first, Timestamp(microseconds: 0), last] {
            #expect(moment.advanced(by: Duration(attoseconds: .max)) == last)
            #expect(moment.advanced(by: Duration(attoseconds: .min)) == first)
        }
        #expect(Timestamp(microseconds: 5).advanced(by: .microseconds(-7)).microseconds == -2)
        #expect(last.duration(since: Timestamp(microseconds: .min)) > .seconds(1))
        #expect(Timestamp(microseconds: 1) < Timestamp(microseconds: 2))
    }

    @Test func `now is now`() {
        #expect(abs(Timestamp.now().date.timeIntervalSinceNow) < 5)
    }
}
