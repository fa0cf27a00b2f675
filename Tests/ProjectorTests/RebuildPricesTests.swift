import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// Prices that change while a model is rebuilt: its costs are of one list of prices.
@Suite struct RebuildPricesTests {
    private static let shipped = (try? ProjectionFiles.all(in: .embedded)) ?? []

    private static func load(_ price: String, on connection: PostgresConnection) async throws {
        try await connection.run(
            unsafeSQL: """
                insert into model_prices (model, kind, usd_per_token)
                select model, kind, \(price) from (select distinct model from conversation_turns_v1) m,
                    unnest(array['input', 'input_cache_read', 'output']) kind
                where model is not null
                on conflict (model, kind, valid_from) do update set usd_per_token = excluded.usd_per_token
                """
        )
    }

    private static func rebuild(_ database: PostgresConfiguration, accepting: Bool) throws -> RebuildGroup {
        try RebuildGroup(
            [("conversation_turns", nil)],
            among: shipped,
            configuration: database,
            options: RebuildOptions(acceptDifferences: accepting)
        )
    }

    /// Expects that the live model is what the log folds to now.
    private static func expectFolded(_ models: ReadModels) async throws {
        let rebuilt = try await models.contents()["conversation_turns"]
        try await models.forget()
        try await models.project()
        #expect(try await models.contents()["conversation_turns"] == rebuilt)
    }

    @Test func `a shadow that was built with other prices is not gone on with`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 6, seed: 81))
            try await models.project()
            try await withConnection(database) { connection in
                for price in ["0.000001", "0.00001"] {
                    try await Self.load(price, on: connection)
                    let error = await #expect(throws: ProjectorError.self) {
                        try await Self.rebuild(database, accepting: false).runAlone()
                    }
                    #expect(error?.code == .modelsDiffer)
                }
            }
            _ = try await Self.rebuild(database, accepting: true).runAlone()
            try await Self.expectFolded(models)
        }
    }

    @Test
    func `prices that are loaded while a model is rebuilt keep it from being swapped, and the next run begins anew`()
        async throws
    {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 6, seed: 82))
            try await models.project()
            try await withConnection(database) { reader in
                // The rebuild waits for a transaction that is older than its model.
                try await reader.run(unsafeSQL: "begin isolation level repeatable read; select 1")
                let (waiting, continuation) = AsyncStream.makeStream(of: Void.self)
                let task = Task {
                    defer { continuation.finish() }
                    return try await Self.rebuild(database, accepting: true).runAlone { progress in
                        if progress.phase == .waitingForReaders { continuation.yield() }
                    }
                }
                for await _ in waiting { break }
                try await withConnection(database) { try await Self.load("0.5", on: $0) }
                try await reader.run(unsafeSQL: "commit")
                let error = await #expect(throws: ProjectorError.self) { try await task.value }
                #expect(error?.code == .rebuildMoved && error?.message.contains("prices") == true)
            }
            let outcome = try await Self.rebuild(database, accepting: true).runAlone()
            #expect(!outcome.isResumed)
            try await Self.expectFolded(models)
        }
    }
}
