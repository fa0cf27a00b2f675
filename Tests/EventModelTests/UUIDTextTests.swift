import EventModel
import Foundation
import Testing

@Suite struct UUIDTextTests {
    private func read(_ bytes: [UInt8]) -> UUID? { UUID(ascii: bytes.span, in: 0..<bytes.count) }

    @Test func `every UUID is read as Foundation writes it, in either case`() {
        for _ in 0..<1_000 {
            let uuid = UUID()
            #expect(read(Array(uuid.uuidString.utf8)) == uuid)
            #expect(read(Array(uuid.uuidString.lowercased().utf8)) == uuid)
        }
    }

    @Test func `each character counts: one that cannot stand where it stands makes it no UUID`() {
        let text = Array("019cad8f-Ac00-7e4e-a7B6-815d4e98868f".utf8)
        let digits = Set("0123456789abcdefABCDEF".utf8)
        for place in text.indices {
            let isHyphen = text[place] == UInt8(ascii: "-")
            for byte in UInt8.min...UInt8.max {
                var other = text
                other[place] = byte
                let isRight = isHyphen ? byte == UInt8(ascii: "-") : digits.contains(byte)
                #expect((read(other) != nil) == isRight, "byte \(byte) at \(place)")
                if isRight { #expect(read(other) == UUID(uuidString: String(decoding: other, as: UTF8.self))) }
            }
        }
        #expect(read(Array(text.dropLast())) == nil)
        #expect(read(text + [0x30]) == nil)
    }
}
