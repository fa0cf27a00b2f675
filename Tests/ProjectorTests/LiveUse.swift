import EventModel
import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

extension ReadModels {
    /// Runs `body` while events come, two workers project them, and two readers look on, who never see a model go back:
    /// not to a half-built one, nor to one that lags behind. Then compares what is live with a fold from the beginning.
    func whileUsed(_ events: [Append], _ body: () async throws -> Void) async throws {
        let half = events.count / 2
        try await append(Array(events[..<half]))
        try await project()
        let database = database
        let daemon = Task {
            let options = ProjectorOptions(batchSize: 20, workers: 2)
            let projections = try ProjectionFiles.newest(in: .embedded)
            try await Projector(database, projections: projections, options: options).run()
        }
        let producer = Task {
            var rest = events[half...]
            while !rest.isEmpty {
                try await append(Array(rest.prefix(5)))
                rest = rest.dropFirst(5)
            }
        }
        let answers = Shared(0)
        let readers = (0..<2).map { _ in Task { try await read(counting: answers) } }
        try await body()
        try await producer.value
        for reader in readers { reader.cancel() }
        for reader in readers { try await reader.value }
        daemon.cancel()
        try await daemon.value
        #expect(answers.value > 20)
        try await project()
        let live = try await contents()
        try await forget()
        try await project()
        let afresh = try await contents()
        for view in Self.views { #expect(live[view] == afresh[view], "\(view) differs") }
    }

    private func read(counting answers: Shared<Int>) async throws {
        let connection = try await PostgresConnection.connect(database)
        var last = [0, 0, 0]
        do {
            while !Task.isCancelled {
                let row = try await connection.text(
                    unsafeSQL: """
                        select (select sum(version) from conversation_sessions),
                            (select count(*) from conversation_turns), (select sum(calls) from conversation_costs)
                        """
                )[0]
                let seen = row.map { $0.flatMap { Int($0) } ?? 0 }
                #expect(zip(seen, last).allSatisfy { $0 >= $1 }, "a reader saw \(seen) after \(last)")
                last = seen
                answers.add()
            }
        } catch is CancellationError {}
        await connection.close()
    }
}
