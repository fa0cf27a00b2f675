import Testing

@testable import Postgres

@Suite struct PostgresSnapshotTests {
    @Test(arguments: ["1:1:", "10:20:10,14,15", "4294967296:4294967299:4294967296"])
    func `text survives a round trip`(text: String) throws {
        let snapshot = try #require(PostgresSnapshot(text))
        #expect(snapshot.description == text)
    }

    @Test(arguments: ["", "1", "0:1:", "5:4:", "1:2:3", "1:9:4,3", "a:b:", "1:2:x", "1:2:1:"])
    func `malformed text is refused`(text: String) {
        #expect(PostgresSnapshot(text) == nil)
    }

    @Test func `what had ended is contained, what was active or began later is not`() throws {
        let snapshot = try #require(PostgresSnapshot("10:20:10,14"))
        let contained = (8...21).filter { snapshot.contains(PostgresXID8($0)) }
        #expect(contained == [8, 9, 11, 12, 13, 15, 16, 17, 18, 19])
    }

    @Test func `a later snapshot contains an earlier one, never the other way round`() throws {
        let earlier = try #require(PostgresSnapshot("10:20:10,14"))
        let later = try #require(PostgresSnapshot("14:25:14,22"))
        #expect(earlier.isSubset(of: later))
        #expect(!later.isSubset(of: earlier))
        #expect(PostgresSnapshot.beginning.isSubset(of: earlier))
    }
}
