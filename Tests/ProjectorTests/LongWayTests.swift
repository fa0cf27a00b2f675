import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// What lies between two events of a rare type is walked in several transactions,
/// so that a checkpoint can move in between.
@Suite struct LongWayTests {
    private static let name = "interruptions"

    /// A log with a long stretch in which there is nothing for the projection.
    private static func prepare(_ worker: WorkerByHand) async throws {
        try await worker.connection.run(
            unsafeSQL: "select setval('events_position', 3 * \(WindowWalk.longestSpan))"
        )
        try await ReadModels(database: worker.database).append(ReadModels.simulated(sessions: 5, seed: 7))
    }

    @Test func `a worker walks it in several rounds, and skips nothing`() async throws {
        try await withTestDatabase { database in
            let worker = try await WorkerByHand(database, only: Self.name)
            try await Self.prepare(worker)
            var owned = try await worker.claim(worker.worker)
            var given = 0
            var places: [Int64] = []
            while true {
                let outcome = try await worker.round(owned)
                owned = outcome.owned
                given += outcome.given.values.max() ?? 0
                guard outcome.hasMore else { break }
                let cursors = Set(owned.values.map(\.cursor))
                #expect(cursors.count == 1)
                places.append(try #require(cursors.first?.window).position)
            }
            #expect(places.count >= 3)
            #expect(places == places.sorted() && Set(places).count == places.count)
            let types = worker.projections.flatMap(\.handles).map { "'\($0)'" }.joined(separator: ", ")
            let all = try await worker.connection.text(
                unsafeSQL: "select count(*) from events join event_types t on t.id = type where name in (\(types))"
            )
            #expect(given > 0 && all == [["\(given)"]])
            await worker.connection.close()
        }
    }

    @Test func `a rebuild walks it as well, and comes to the same`() async throws {
        try await withTestDatabase { database in
            let worker = try await WorkerByHand(database, only: Self.name)
            try await Self.prepare(worker)
            await worker.connection.close()
            let models = ReadModels(database: database)
            try await models.project()
            let live = try await models.contents()
            let outcome = try await RebuildGroup(
                [(Self.name, nil)],
                among: try ProjectionFiles.all(in: .embedded),
                configuration: database
            ).runAlone()
            #expect(outcome.comparison?.differenceCount == 0)
            #expect(try await models.contents() == live)
        }
    }
}
