import Postgres
import Testing

@testable import EventStore

@Suite struct PostgresSnapshotAddingTests {
    @Test func `a snapshot that learns transactions one by one claims no others`() throws {
        let old = try #require(LogCursor("10:20:10,14")).delivered
        #expect(old.adding([], atMost: 0) == old)
        #expect(old.adding([14], atMost: 9)?.description == "10:20:10")
        #expect(old.adding([10, 14], atMost: 9)?.description == "20:20:")
        #expect(old.adding([20], atMost: 9)?.description == "10:21:10,14")
        #expect(old.adding([22, 14], atMost: 9)?.description == "10:23:10,20,21")
        #expect(old.adding([22], atMost: 3) == nil)
        #expect(old.adding([22], atMost: 4)?.description == "10:23:10,14,20,21")
    }
}
