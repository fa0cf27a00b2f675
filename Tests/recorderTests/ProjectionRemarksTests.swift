import EventModel
import Foundation
import Schema
import Testing

@testable import EventStore
@testable import Projector
@testable import recorder

@Suite struct ProjectionRemarksTests {
    private static let turns = ProjectionVersion(name: "turns", version: 2)

    private func lag(
        owners: [UUID?] = [UUID()],
        behind: Duration? = nil,
        sinceMoved: Duration = .zero,
        error: String? = nil
    ) -> ProjectionLag {
        let shards = owners.enumerated().map { shard, owner in
            ProjectionStatus(
                key: ProjectionShard(projection: Self.turns, shard: shard),
                events: 0,
                owner: owner,
                process: nil,
                updatedAt: .now(),
                sinceMoved: sinceMoved,
                eventsBehind: behind == nil ? 0 : 1,
                behind: behind,
                stoppedStreams: 0,
                error: error,
                openTransactions: 0
            )
        }
        return ProjectionLag(projection: Self.turns, shards: shards)
    }

    @Test func `a log that belongs here is not spoken of, one from elsewhere is with all that shows it`() {
        #expect(ProjectionRemarks.restored([]) == nil)
        let evidence = ["one thing", "another"].map { RestoredLog.Evidence(code: "system", detail: $0) }
        let remark = ProjectionRemarks.restored(evidence)
        #expect(remark?.contains(": one thing; another. Run `recorder repair restored-log`") == true)
    }

    @Test func `shards without an owner are named, with what to start`() {
        let lags = [lag(), lag(owners: [nil, UUID(), nil])]
        #expect(
            ProjectionRemarks.unowned(lags, carried: [Self.turns])
                == ["turns v2: nobody works on shards 0, 2: start `recorder project`"]
        )
        let foreign = ProjectionRemarks.unowned(lags, carried: [])
        #expect(foreign.count == 1 && foreign[0].contains("`recorder project --projections DIR` with the folder"))
    }

    @Test func `a silent process and an open transaction are told with their seconds`() {
        let process = SilentProcess(name: "host:7", silence: .milliseconds(12_400))
        #expect(ProjectionRemarks.silent(process).hasPrefix("host:7 was last heard of 12 s ago:"))
        let transaction = OpenTransaction(process: 8, database: "other", age: .seconds(75))
        #expect(ProjectionRemarks.open(transaction).hasPrefix("process 8 in database other has had"))
        let nowhere = OpenTransaction(process: 8, database: nil, age: .seconds(75))
        #expect(ProjectionRemarks.open(nowhere).hasPrefix("process 8 has had a writing transaction open for 75 s:"))
    }

    @Test func `an error is said rather than that nothing moves, and a lag beyond the limit besides`() {
        let minute = Duration.seconds(60)
        #expect(ProjectionRemarks.troubles(of: lag(behind: minute), maxBehind: nil).isEmpty)
        #expect(ProjectionRemarks.troubles(of: lag(behind: minute), maxBehind: 60).isEmpty)
        let failing = lag(behind: minute, sinceMoved: minute, error: "no such column")
        #expect(
            ProjectionRemarks.troubles(of: failing, maxBehind: 59)
                == ["turns v2: no such column", "turns v2: 60.0 s behind, which is more than --max-behind"]
        )
        let stuck = ProjectionRemarks.troubles(of: lag(behind: minute, sinceMoved: minute), maxBehind: nil)
        #expect(stuck.count == 1 && stuck[0].hasPrefix("turns v2: events wait, and nothing has moved"))
    }
}
