import EventModel
import Foundation
import Schema
import Testing

@testable import Projector

@Suite struct ProjectionLagTests {
    private func status(
        _ shard: Int,
        given events: Int64,
        behind: Int,
        owner: UUID? = UUID(),
        since: Duration? = nil,
        sinceMoved: Duration = .zero
    ) -> ProjectionStatus {
        ProjectionStatus(
            key: ProjectionShard(projection: ProjectionVersion(name: "turns", version: 1), shard: shard),
            events: events,
            owner: owner,
            process: owner.map { _ in "here:1" },
            updatedAt: Timestamp(microseconds: 0),
            sinceMoved: sinceMoved,
            eventsBehind: behind,
            behind: behind > 0 ? since ?? .seconds(shard + 1) : nil,
            stoppedStreams: 0,
            error: nil,
            openTransactions: 0
        )
    }

    @Test func `rates and times left are measured for each shard and for all together`() throws {
        let before = [status(0, given: 100, behind: 900), status(1, given: 100, behind: 50)]
        let now = [status(0, given: 300, behind: 800), status(1, given: 150, behind: 0)]
        let lag = try #require(ProjectionLag.all(now, before: before, elapsed: .seconds(2)).first)
        #expect(lag.shards.map(\.rate) == [100, 25])
        #expect(lag.shards.map(\.timeToCatchUp) == [.seconds(8), .zero])
        #expect(lag.rate == 125)
        #expect(lag.timeToCatchUp == .seconds(6.4))
        #expect(lag.behind == .seconds(1))
        #expect(!lag.isTroubled)
    }

    @Test func `without an earlier measurement nothing is guessed, and a shard without an owner is trouble`() throws {
        let lag = try #require(ProjectionLag.all([status(0, given: 3, behind: 7, owner: nil)]).first)
        #expect(lag.rate == nil && lag.timeToCatchUp == nil)
        #expect(lag.unowned == [0])
        #expect(lag.isTroubled)
    }

    @Test(arguments: [(0, 31), (31, 0), (31, 31)])
    func `it is trouble if events wait for long and nothing moves, whoever is to blame`(since: Int, sinceMoved: Int)
        throws
    {
        let shard = status(0, given: 3, behind: 7, since: .seconds(since), sinceMoved: .seconds(sinceMoved))
        let lag = try #require(ProjectionLag.all([shard]).first)
        #expect(lag.isTroubled == (min(since, sinceMoved) > 30))
    }

    @Test func `a shard that stands still is never caught up`() throws {
        let now = [status(0, given: 3, behind: 7)]
        let lag = try #require(ProjectionLag.all(now, before: now, elapsed: .seconds(1)).first)
        #expect(lag.rate == 0 && lag.timeToCatchUp == nil)
    }
}
