import EventModel
import EventStore
import PayloadCodec
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// Read models of a sealed log.
@Suite struct SealedProjectionTests {
    private static func project(_ database: PostgresConfiguration, _ keys: SealingKeys) async throws {
        let projector = Projector(
            database,
            projections: try ProjectionFiles.newest(in: .embedded),
            keys: keys,
            options: ProjectorOptions(batchSize: 100, onFailure: .halt),
            logger: TestServer.silent
        )
        try await projector.runUntilCaughtUp()
    }

    private static func seal(_ database: PostgresConfiguration, _ keys: SealingKeys) async throws {
        let pool = PostgresPool(database, limits: .init(size: 1), logger: TestServer.silent)
        _ = try await KeyAdministration(pool, keys: keys).initialise()
        await pool.close()
    }

    private static func append(_ appends: [Append], to database: PostgresConfiguration, _ keys: SealingKeys)
        async throws
    {
        let outcomes = try await PostgresEventStore.with(database, keys: keys, logger: TestServer.silent) { store in
            try await store.withAppender { try await $0.append(independently: appends) }
        }
        for outcome in outcomes { _ = try outcome.get() }
    }

    /// The views but for what differs between two databases: positions, and the hashes over them.
    private static func contents(_ database: PostgresConfiguration) async throws -> [String: [String]] {
        var contents: [String: [String]] = [:]
        try await withConnection(database) { connection in
            for view in ReadModels.views {
                contents[view] = try await connection.text(
                    unsafeSQL: """
                        select (to_jsonb(v) - array['position', 'hash', 'previous_hash'])::text from \(view) v order by 1
                        """
                ).compactMap { $0[0] }
            }
        }
        return contents
    }

    @Test func `a sealed log builds the same read models as one in the clear`() async throws {
        let keys = SealingKeys([LocalKeyEncryptionKey()])
        let appends = ReadModels.simulated(sessions: 8, seed: 71)
        let clear = try await withTestDatabase { database in
            try await Self.append(appends, to: database, .none)
            try await Self.project(database, .none)
            return try await Self.contents(database)
        }
        try await withTestDatabase { database in
            try await Self.seal(database, keys)
            try await Self.append(appends, to: database, keys)
            try await Self.project(database, keys)
            let sealed = try await Self.contents(database)
            for view in ReadModels.views { #expect(sealed[view] == clear[view], "\(view)") }
            #expect(sealed["conversation_turns"]?.contains { $0.contains("\"user_transcript\": \"") } == true)
            for files in try ProjectionFiles.newest(in: .embedded) {
                let outcome = try await ProjectionVerify(
                    files,
                    configuration: database,
                    options: RebuildOptions(keys: keys)
                ).run()
                #expect(outcome.comparison.differenceCount == 0, "\(files.title)")
            }
        }
    }

    @Test func `a projector without the key stops before it folds a null, and says what to do`() async throws {
        let keys = SealingKeys([LocalKeyEncryptionKey()])
        try await withTestDatabase { database in
            try await Self.seal(database, keys)
            try await Self.append(ReadModels.simulated(sessions: 1, seed: 5), to: database, keys)
            let error = await #expect(throws: EventStoreError.self) { try await Self.project(database, .none) }
            #expect(error?.code == .keyUnavailable)
            let rows = try await withConnection(database) {
                try await $0.text(unsafeSQL: "select 1 from conversation_turns limit 1")
            }
            #expect(rows == [])
            try await Self.project(database, keys)
        }
    }
}
