import EventModel
import Foundation
import Testing

@Suite struct JSONScannerTests {
    static let samples = [
        #"{"turnId":"019cad8f-cad7-7ee1-b944-7ce64265ebc4","userTranscript":"cheap \"south\" part","confidence":0.93,"n":[1,-2.5e3,0]}"#,
        #"{"a":{"b":[{"c":null},true,false,[],{}]},"text":"tab\t \\ \/ \u017c","e":1E-7}"#,
        #"[[[["deep"]]],"x",-0.0,12345678901234567890,""]"#, #"{"":"","k":"v"}"#, "\"alone\"", " 17 ", "true",
    ]

    static func isValid(_ bytes: [UInt8]) -> Bool { (try? JSONScanner.validate(bytes.span)) != nil }

    static func isValid(_ text: String) -> Bool { isValid(Array(text.utf8)) }

    static func reason(_ bytes: [UInt8]) -> JSONFault.Reason? {
        do throws(JSONFault) { _ = try JSONScanner.validate(bytes.span) } catch { return error.reason }
        return nil
    }

    static func reason(_ text: String) -> JSONFault.Reason? { reason(Array(text.utf8)) }

    @Test(arguments: [
        "0", "-0", "0.5", "-1e-10", "1E+5", "1e308", "1e-400", "\"\"", "null", "{}", "[]", " [ ] ",
        "\"\\ud83d\\ude00\"", "\"😀\"",
        "\"\u{7f}\"", "[1,2]", "{\"a\":{}}",
    ])
    func `valid JSON is taken`(text: String) { #expect(Self.isValid(text)) }

    @Test(arguments: [
        ("", JSONFault.Reason.unexpectedEnd), ("{", .unexpectedEnd), ("[1", .unexpectedEnd), ("\"a", .unexpectedEnd),
        ("\"\\", .unexpectedEnd), ("\"\\u12", .unexpectedEnd), ("tru", .unexpectedEnd), ("-", .unexpectedEnd),
        ("1.", .unexpectedEnd),
        ("{]", .unexpectedCharacter), ("[}", .unexpectedCharacter), ("[1,]", .unexpectedCharacter),
        ("[,1]", .unexpectedCharacter),
        ("{\"a\"}", .unexpectedCharacter), ("{a:1}", .unexpectedCharacter), ("{\"a\":1,}", .unexpectedCharacter),
        ("'a'", .unexpectedCharacter),
        ("NaN", .unexpectedCharacter), ("Infinity", .unexpectedCharacter), ("+1", .unexpectedCharacter),
        ("nul1", .unexpectedCharacter),
        ("[1 2]", .unexpectedCharacter), ("\u{FEFF}{}", .unexpectedCharacter), ("[1}", .unexpectedCharacter),
        ("{\"a\":1]", .unexpectedCharacter),
        ("{} {}", .trailingCharacters), ("1 2", .trailingCharacters), ("{}\0", .trailingCharacters),
        ("01", .badNumber), ("-a", .badNumber), ("[1.]", .badNumber), ("[.5]", .unexpectedCharacter),
        ("[1e]", .badNumber), ("[1e+]", .badNumber),
        ("\"\n\"", .controlCharacter), ("\"\0\"", .controlCharacter), ("\"\\x\"", .badEscape),
        ("\"\\u12g4\"", .badEscape),
        ("\"\\u0000\"", .nulCharacter), ("\"\\ud800\"", .loneSurrogate), ("\"\\udc00\"", .loneSurrogate),
        ("\"\\ud800\\ud800\"", .loneSurrogate),
        ("\"\\ud800\\n\"", .loneSurrogate), ("\"\\ud800a\"", .loneSurrogate), ("1e309", .notFinite),
        ("[-1e400]", .notFinite), ("1e-16384", .tooFine), ("[1.5e-16383]", .tooFine), ("0e-16384", .tooFine),
        ("100e-16384", .tooFine), ("1e-9223372036854775808", .tooFine), ("1e-99999999999999999999", .tooFine),
        ("0e1073741823", .tooFine),
    ])
    func `what is refused is refused for its reason`(text: String, reason: JSONFault.Reason) {
        #expect(Self.reason(text) == reason)
    }

    @Test func `a number of very many digits is finite or not`() {
        #expect(Self.isValid(String(repeating: "9", count: 308)))
        #expect(Self.reason(String(repeating: "9", count: 400)) == .notFinite)
        #expect(Self.isValid("0." + String(repeating: "3", count: 5000)))
    }

    @Test func `a number is as fine as numeric can hold`() {
        for number in ["1e-16383", "-1.5e-16382", "0e999999999", "0.0001e+4", "1.50E2"] {
            #expect(Self.isValid(number))
        }
        #expect(Self.isValid("0." + String(repeating: "3", count: 16_383)))
        #expect(Self.reason("0." + String(repeating: "3", count: 16_384)) == .tooFine)
        #expect(Self.isValid("0." + String(repeating: "3", count: 16_384) + "e1"))
    }

    @Test func `nesting ends at 64`() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ levels: Int) -> String {
                String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
            }
            #expect(Self.isValid(nested(64)))
            #expect(Self.reason(nested(65)) == .tooDeep)
            #expect(Self.reason(String(repeating: open, count: 100_000)) == .tooDeep)
        }
    }

    @Test func `a special byte is found at every place in a string`() {
        for length in 0..<40 {
            for place in 0...length {
                let before = String(repeating: "é", count: place / 2) + String(repeating: "a", count: place % 2)
                let after = String(repeating: "b", count: length - place)
                #expect(Self.isValid("\"\(before)\\n\(after)\""))
                #expect(Self.isValid("\"\(before)ż\(after)\""))
                #expect(Self.reason("\"\(before)\u{1f}\(after)\"") == .controlCharacter)
                #expect(Self.reason("\"\(before)\\q\(after)\"") == .badEscape)
                #expect(Self.reason("\"\(before)\"\(after)x") == .trailingCharacters)
                #expect(!Self.isValid(Array("\"\(before)".utf8) + [0xED, 0xA0, 0x80] + Array("\(after)\"".utf8)))
            }
        }
    }

    @Test func `UTF-8 is accepted exactly as the standard library accepts it`() {
        var source = SplitMix64(seed: 7)
        for _ in 0..<200_000 {
            let tail = (0..<Int.random(in: 1...4, using: &source)).map { _ in
                UInt8.random(in: 0x80...0xFF, using: &source)
            }
            #expect(Self.isValid([0x22] + tail + [0x22]) == (String(validating: tail, as: UTF8.self) != nil))
        }
    }

    @Test func `mutated JSON never crashes and is accepted as Foundation accepts it`() {
        var source = SplitMix64(seed: 42)
        let alphabet = Array("{}[]\",:\\/0123456789.eE+-truefalsn u\t\nx".utf8)
        var taken = 0
        for round in 0..<60_000 {
            var bytes = Array(Self.samples[round % Self.samples.count].utf8)
            for _ in 0..<Int.random(in: 0...3, using: &source) {
                let place = Int.random(in: 0..<bytes.count, using: &source)
                switch Int.random(in: 0..<4, using: &source) {
                case 0: bytes[place] = alphabet.randomElement(using: &source) ?? 0
                case 1: bytes.insert(alphabet.randomElement(using: &source) ?? 0, at: place)
                case 2 where bytes.count > 1: bytes.remove(at: place)
                default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &source))
                }
            }
            let isValid = Self.isValid(bytes)
            if isValid { taken += 1 }
            let foundation = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            if isValid != (foundation != nil) {
                // Foundation on Linux takes a comma after the last element, RFC 8259
                // does not; and what PostgreSQL cannot hold.
                let text = String(decoding: bytes.filter { !" \t\n".utf8.contains($0) }, as: UTF8.self)
                let isOurs = text.contains(",]") || text.contains(",}") || Self.reason(bytes) == .tooFine
                #expect(!isValid && isOurs, "\(isValid) for \(text)")
            }
            if isValid {
                #expect((try? JSONValue(json: bytes)) != nil)
            } else {
                Self.walk(bytes, in: 0..<bytes.count)
            }
        }
        #expect(taken > 10_000 && taken < 50_000)
    }

    @Test func `random bytes never crash the scanner, the trusting walk included`() {
        var source = SplitMix64(seed: 3)
        // Behind the range stands what would end whatever is open.
        let tail = Array(#""]}:1,"#.utf8)
        let signs = Array(#"{}[]",:\01e-tfn "#.utf8)
        var found = (members: 0, trusted: 0, elements: 0)
        for round in 0..<50_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &source)).map { _ in
                round % 2 == 0 ? UInt8.random(in: 0...255, using: &source) : signs.randomElement(using: &source) ?? 0
            }
            #expect(!Self.isValid(bytes) || String(validating: bytes, as: UTF8.self) != nil)
            for begin in [[0x7B, 0x22], [0x5B]] as [[UInt8]] {
                let count = begin.count + bytes.count
                let walked = Self.walk(begin + bytes + tail, in: 0..<count)
                found.members += walked.members
                found.trusted += walked.trusted
                found.elements += walked.elements
            }
        }
        #expect(min(found.members, found.trusted, found.elements) > 50, "\(found)")
    }

    /// Walks with and without trust; what it finds must lie inside the range, one behind the other, and be decodable.
    ///
    /// - Returns: How much was found.
    @discardableResult
    static func walk(_ bytes: [UInt8], in range: Range<Int>) -> (members: Int, trusted: Int, elements: Int) {
        var found = [0, 0]
        for trusted in [false, true] {
            var members = JSONMembers(of: bytes.span, in: range, trusted: trusted)
            var place = range.lowerBound
            while let member = try? members.next(in: bytes.span) {
                found[trusted ? 1 : 0] += 1
                for slice in [member.key, member.value] {
                    check(slice, of: bytes, isChecked: !trusted)
                    #expect(slice.range.lowerBound > place && slice.range.upperBound <= range.upperBound, "\(bytes)")
                    place = slice.range.upperBound
                }
                #expect(member.key.kind == .string)
            }
        }
        var elements = JSONElements(of: bytes.span, in: range)
        var place = range.lowerBound
        var count = 0
        while let element = try? elements.next(in: bytes.span) {
            count += 1
            check(element, of: bytes, isChecked: false)
            #expect(element.range.lowerBound > place && element.range.upperBound <= range.upperBound, "\(bytes)")
            place = element.range.upperBound
        }
        return (found[0], found[1], count)
    }

    /// Checks that what was found can be decoded, and that it is JSON where the walk looked into it.
    private static func check(_ slice: JSONSlice, of bytes: [UInt8], isChecked: Bool) {
        let json = Array(bytes[slice.range])
        #expect(slice.bytes(in: bytes.span) == json)
        #expect(slice.text(in: bytes.span) == String(decoding: json, as: UTF8.self))
        #expect((slice.string(in: bytes.span) != nil) == (slice.kind == .string))
        #expect((slice.double(in: bytes.span) != nil) == (slice.kind == .number), "\(bytes)")
        guard isChecked else { return }
        #expect((try? JSONScanner.validate(json.span))?.kind == slice.kind, "\(bytes)")
        #expect(slice.string(in: bytes.span) == (try? JSONValue(json: json))?.string, "\(bytes)")
    }
}
