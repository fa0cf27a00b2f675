import EventModel
import Testing

@Suite struct JSONMembersTests {
    static let object = Array(
        #" {"a": 1.50, "b":"x\"\u00e9\ud83d\ude00\n", "\u0061" : [1,{"c":"]}"}], "t":true,"f":false,"n":null,"o":{"k":"v"}} "#
            .utf8
    )

    static func walk(_ bytes: [UInt8], trusted: Bool) throws -> [JSONMember] {
        var walk = JSONMembers(of: bytes.span, trusted: trusted)
        var members: [JSONMember] = []
        while let member = try walk.next(in: bytes.span) { members.append(member) }
        return members
    }

    @Test(arguments: [false, true])
    func `members come in order with the places of their values`(trusted: Bool) throws {
        let bytes = Self.object
        let members = try Self.walk(bytes, trusted: trusted)
        #expect(members.map { $0.key.string(in: bytes.span) } == ["a", "b", "a", "t", "f", "n", "o"])
        #expect(members.map(\.value.kind) == [.number, .string, .array, .true, .false, .null, .object])
        #expect(members[0].value.text(in: bytes.span) == "1.50")
        #expect(members[0].value.double(in: bytes.span) == 1.5)
        #expect(members[0].value.integer(in: bytes.span) == nil)
        #expect(members[1].value.string(in: bytes.span) == "x\"é😀\n")
        #expect(members[2].value.text(in: bytes.span) == #"[1,{"c":"]}"}]"#)
        #expect(members[3].value.bool == true && members[4].value.bool == false && members[5].value.bool == nil)
        #expect(members[6].value.bytes(in: bytes.span) == Array(#"{"k":"v"}"#.utf8))
        #expect(members.filter { $0.key.equals(Array("a".utf8), in: bytes.span) }.count == 2)
    }

    @Test func `both walks see the same`() throws {
        for sample in JSONScannerTests.samples where sample.hasPrefix("{") {
            let bytes = Array(sample.utf8)
            #expect(try Self.walk(bytes, trusted: true) == Self.walk(bytes, trusted: false))
        }
    }

    @Test func `an object inside is walked by its range`() throws {
        let bytes = Self.object
        let outer = try #require(try Self.walk(bytes, trusted: true).last)
        var inner = JSONMembers(of: bytes.span, in: outer.value.range, trusted: true)
        let member = try #require(try inner.next(in: bytes.span))
        #expect(member.key.string(in: bytes.span) == "k")
        for _ in 0..<2 {
            let end = try inner.next(in: bytes.span)
            #expect(end == nil)
        }
    }

    @Test func `the walk knows in which member it failed`() throws {
        let bytes = Array(#"{"a":1,"bad":[1,,2]}"#.utf8)
        var walk = JSONMembers(of: bytes.span)
        _ = try walk.next(in: bytes.span)
        do throws(JSONFault) {
            _ = try walk.next(in: bytes.span)
            Issue.record("the member was taken")
        } catch {
            #expect(error == JSONFault(.unexpectedCharacter, at: 16))
        }
        #expect(walk.key?.string(in: bytes.span) == "bad")
    }
}
