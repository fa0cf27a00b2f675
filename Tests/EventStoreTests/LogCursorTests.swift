import Testing

@testable import EventStore

@Suite struct LogCursorTests {
    @Test(arguments: ["1:1:", "10:20:10,14", "10:20:10,14/30:30:@512", "1:1:/4294967300:4294967301:4294967300@0"])
    func `text survives a round trip`(text: String) throws {
        let cursor = try #require(LogCursor(text))
        #expect(cursor.description == text)
    }

    @Test(arguments: [
        ("10:20:/30:30:@5", "10:20:/30:30:@5", true), ("10:20:/30:30:@5", "10:20:/30:30:@6", true),
        ("10:20:/30:30:@6", "10:20:/30:30:@5", false), ("10:20:/30:30:@6", "30:30:", true),
        ("10:20:", "10:20:/30:30:@5", true), ("30:30:", "10:20:/30:30:@5", false),
    ])
    func `one cursor of a log precedes another`(cursor: String, other: String, precedes: Bool) throws {
        #expect(try #require(LogCursor(cursor)).precedes(try #require(LogCursor(other))) == precedes)
    }

    @Test(arguments: ["", "/", "10:20:/", "10:20:/30:30:", "10:20:/30:30:@", "10:20:/30:30:@-1", "1:1:/1:1:@1/1", "x"])
    func `malformed text is refused`(text: String) {
        #expect(LogCursor(text) == nil)
    }
}
