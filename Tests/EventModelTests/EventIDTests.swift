import EventModel
import Foundation
import Testing

@Suite struct EventIDTests {
    @Test func `a generated id has the layout of UUIDv7`() throws {
        let moment = try #require(Timestamp("2026-03-02T08:00:09.661600Z"))
        for _ in 0..<1000 {
            let text = EventID.generate(at: moment).description
            #expect(text.hasPrefix("019cad8f-d1bd-7"))
            #expect("89ab".contains(text[text.index(text.startIndex, offsetBy: 19)]))
            #expect(text.count == 36)
        }
    }

    @Test func `ids of one millisecond differ`() {
        let moment = Timestamp.now()
        #expect(Set((0..<10_000).map { _ in EventID.generate(at: moment) }).count == 10_000)
        #expect(Set((0..<1000).map { _ in StreamID.generate(at: moment) }).count == 1000)
    }

    @Test func `ids and types that are alike in part are told apart by their hashes`() throws {
        let ids = try (0..<1_000).map { try #require(StreamID("\(10_000_000 + $0)-6b0a-11f1-8de9-0242ac120002")) }
        #expect(Set(ids.map(\.hashValue)).count == 1_000)
        #expect(Set(ids.map { EventID($0.uuid).hashValue }).count == 1_000)
        #expect(Set(try (0..<1_000).map { try EventType("a.b\(10_000 + $0)x").hashValue }).count == 1_000)
    }

    @Test func `a moment before 1970 counts as 1970`() {
        #expect(EventID.generate(at: Timestamp(microseconds: -5)).description.hasPrefix("00000000-0000-7"))
    }

    @Test func `text goes there and back in either case`() throws {
        for _ in 0..<1000 {
            let uuid = UUID()
            #expect(StreamID(uuid.uuidString)?.uuid == uuid)
            #expect(StreamID(uuid).description == uuid.uuidString.lowercased())
            #expect(EventID(uuid.uuidString.lowercased())?.uuid == uuid)
        }
    }

    @Test(arguments: [
        "", "019cad8f", "019cad8fd1bd76c5b5068f76320fb771", "019cad8f-d1bd-76c5-b506-8f76320fb77",
        "019cad8f-d1bd-76c5-b506-8f76320fb7711", "019cad8g-d1bd-76c5-b506-8f76320fb771",
        "019cad8f_d1bd-76c5-b506-8f76320fb771",
        "019cad8-fd1bd-76c5-b506-8f76320fb771", "{19cad8f-d1bd-76c5-b506-8f76320fb77}",
        "019cad8f-d1bd-76c5-b506-8f76320fb7７",
    ])
    func `what is no UUID is refused`(text: String) {
        #expect(EventID(text) == nil)
        #expect(StreamID(text) == nil)
    }
}
