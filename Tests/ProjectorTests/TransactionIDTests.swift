import EventModel
import EventStore
import Foundation
import Operations
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// What a server does to its transaction ids in the course of years changes nothing: freezing, and ids beyond 2³².
@Suite struct TransactionIDTests {
    @Test func `freezing rows and transaction ids beyond 2^32 change nothing`() async throws {
        var configuration = TestServer.configuration()
        configuration.isTemporary = false
        // By another name than those that other test processes sweep up when nobody runs them.
        configuration.directory.replace("recorder-test-", with: "recorder-stopped-")
        defer { try? FileManager.default.removeItem(atPath: configuration.directory) }
        let events = ReadModels.simulated(sessions: 9, seed: 41)
        let third = events.count / 3

        let (cursor, seen) = try await withServer(configuration) { database in
            let models = ReadModels(database: database)
            try await models.append(Array(events[..<third]))
            try await models.project(batchSize: 40)
            let first = try await read(third, after: .beginning, from: database)
            try await run("vacuum (freeze, analyze)", on: database)
            try await models.append(Array(events[third..<(2 * third)]))
            try await models.project(batchSize: 40)
            #expect(try await models.contents()["conversation_sessions"]?.isEmpty == false)
            return first
        }
        #expect(seen == third)

        let owner = try FileManager.default.attributesOfItem(atPath: "\(configuration.directory)/data")
        try await ServerTool.run(
            "pg_resetwal",
            "--epoch=3",
            "\(configuration.directory)/data",
            user: owner[.ownerAccountName] as? String ?? "postgres"
        )

        try await withServer(configuration) { database in
            let models = ReadModels(database: database)
            let now = try await text("select pg_current_xact_id()", on: database)
            #expect((UInt64(now) ?? 0) > 3 << 32)
            #expect(try await text("select count(*) from restored_log_evidence()", on: database) == "0")
            try await models.append(Array(events[(2 * third)...]))
            // The cursor of the time before delivers what came then and now.
            let second = try await read(events.count - third, after: cursor, from: database)
            #expect(second.events == events.count - third)
            #expect(try await models.project(batchSize: 40) == events.count - 2 * third)
            try await run("vacuum (freeze, analyze)", on: database)
            #expect(try await models.project() == 0)
            let live = try await models.contents()
            try await models.forget()
            #expect(try await models.project() == events.count)
            let rebuilt = try await models.contents()
            for view in ReadModels.views { #expect(live[view] == rebuilt[view], "\(view) differs") }
            #expect(
                try await text(
                    "select count(*) filter (where transaction_id > '12884901888') > 0 from events",
                    on: database
                )
                    == "t"
            )
        }
    }

    /// Runs a test on the server of a directory that stays.
    private func withServer<R>(
        _ configuration: EmbeddedServerConfiguration,
        _ body: (PostgresConfiguration) async throws -> R
    ) async throws -> R {
        try await EmbeddedServer.withServer(configuration, logger: TestServer.logger) { server in
            let database = PostgresConfiguration(
                url: server.url(),
                schema: "recorder",
                applicationName: "recorder test"
            )
            let connection = try await PostgresConnection.connect(database, logger: TestServer.logger)
            _ = try await Migrator().up(on: connection)
            for projection in try ProjectionFiles.newest(in: .embedded) {
                try await ProjectionInstaller().install(projection, on: connection)
            }
            await connection.close()
            return try await body(database)
        }
    }

    private func run(_ sql: String, on database: PostgresConfiguration) async throws {
        let connection = try await PostgresConnection.connect(database, logger: TestServer.logger)
        try await connection.run(unsafeSQL: sql)
        await connection.close()
    }

    private func text(_ sql: String, on database: PostgresConfiguration) async throws -> String {
        let connection = try await PostgresConnection.connect(database, logger: TestServer.logger)
        let rows = try await connection.text(unsafeSQL: sql)
        await connection.close()
        return try #require(rows.first?.first.flatMap { $0 })
    }

    /// Reads so many events behind a cursor by subscription.
    private func read(_ count: Int, after cursor: LogCursor, from database: PostgresConfiguration) async throws -> (
        cursor: LogCursor, events: Int
    ) {
        try await PostgresEventStore.with(database) { store in
            var total = 0
            var last = cursor
            for try await batch in store.subscribe(after: cursor, batchSize: 50) {
                total += batch.events.count
                last = batch.cursor
                if total >= count { break }
            }
            return (last, total)
        }
    }
}
