import EventModel
import Foundation
import Testing

@Suite struct EventDraftTests {
    @Test(arguments: ["[]", "1", "", "{", "{\"a\":\"\\u0000\"}", "{\"a\":1e999}", "{}{}"])
    func `a draft holds valid objects only`(json: String) throws {
        let id = EventID.generate(at: .now())
        let data = try #require(throws: EventModelError.self) {
            try EventDraft(id: id, type: .turnStarted, data: Array(json.utf8))
        }
        #expect(data.field == "data")
        let metadata = try #require(throws: EventModelError.self) {
            try EventDraft(id: id, type: .turnStarted, metadata: Array(json.utf8))
        }
        #expect(metadata.field == "metadata")
    }

    @Test func `a draft has a time that the contract can say`() throws {
        let first = try #require(Timestamp("0000-01-01T00:00:00Z"))
        let last = try #require(Timestamp("9999-12-31T23:59:59.999999Z"))
        for moment in [first, last] {
            let draft = try EventDraft(id: .generate(at: moment), type: .turnStarted, occurredAt: moment)
            #expect(draft.occurredAt == moment)
        }
        let others = [
            first.advanced(by: .microseconds(-1)), last.advanced(by: .microseconds(1)), Timestamp(microseconds: .min),
            Timestamp(microseconds: .max), Timestamp(Date(timeIntervalSince1970: .nan)),
            Timestamp(Date(timeIntervalSince1970: -.infinity)),
        ]
        for moment in others {
            let untyped = try #require(throws: EventModelError.self) {
                try EventDraft(id: .generate(at: moment), type: .turnStarted, occurredAt: moment)
            }
            let typed = try #require(throws: EventModelError.self) { try SessionEnded().draft(occurredAt: moment) }
            for error in [untyped, typed] { #expect(error.code == .invalidField && error.field == "occurredAt") }
        }
    }

    @Test func `a type has 1 to 128 bytes`() throws {
        #expect(try EventType(String(repeating: "a", count: 128)).name.count == 128)
        for name in ["", String(repeating: "a", count: 129), String(repeating: "ż", count: 65), "a\u{0}"] {
            let error = try #require(throws: EventModelError.self) { try EventType(name) }
            #expect(error.field == "type")
        }
    }

    @Test func `an expected version allows what it says`() {
        #expect([0, 1, 5].map(ExpectedVersion.any.allows) == [true, true, true])
        #expect([0, 1, 5].map(ExpectedVersion.noStream.allows) == [true, false, false])
        #expect([0, 1, 5].map(ExpectedVersion.exists.allows) == [false, true, true])
        #expect([0, 1, 5].map(ExpectedVersion.exactly(1).allows) == [false, true, false])
    }
}
