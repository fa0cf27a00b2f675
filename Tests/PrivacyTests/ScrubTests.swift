import EventModel
import EventStore
import Foundation
import Operations
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Privacy

/// Nothing of an erased person is in a dump or in any file of the server.
@Suite struct ScrubTests {
    /// Which of some words stand in the files below a folder.
    private static func found(_ words: [String], below folder: String) async throws -> [String] {
        var found: [String] = []
        for word in words {
            let output = try await ChildProgram.attempt("grep", ["-rlaiF", "--", word, folder])
            if output.status == 0 { found.append(word) }
        }
        return found
    }

    private static func dump(_ database: PostgresConfiguration) async throws -> String {
        try await ChildProgram.run("pg_dump", ["--dbname", database.url]).text
    }

    @Test func `a dump and the data directory hold a person's words before, and none after`() async throws {
        var configuration = TestServer.configuration()
        configuration.settings["wal_recycle"] = "off"
        configuration.settings["wal_keep_size"] = "0"
        try await EmbeddedServer.withServer(configuration, logger: TestServer.logger) { server in
            let database = PostgresConfiguration(
                url: server.url(),
                schema: "recorder",
                applicationName: "recorder test"
            )
            try await TestServer.install(database)
            try await withPrivacyWorld(on: database) { world in
                let (ada, ben) = (PrivacyWorld.Person("adaqzx"), PrivacyWorld.Person("benqzx"))
                try await world.live(ada)
                try await world.live(ben)
                try await world.project()
                try await world.run("checkpoint")
                let data = try await world.text("show data_directory")[0][0] ?? ""
                // What only the log holds is sealed there from the start; objects are files elsewhere.
                let visible = ada.words.filter { !$0.hasSuffix("query") && !$0.hasSuffix("object") }
                // A checkpoint writes no unlogged tables, which caches are.
                let written = visible.filter { !$0.hasSuffix("cached") && !$0.hasSuffix("searched") }
                #expect(try await Self.found(written, below: data) == written)
                // Caches are unlogged, which pg_dump writes as well.
                let before = try await Self.dump(database)
                for word in visible { #expect(before.contains(word), "\(word)") }

                _ = try await world.erase(ada)
                try await world.withPool {
                    try await Scrub($0, projections: try ProjectionFiles.all(in: .embedded)).run()
                }
                for _ in 0..<2 { try await world.run("select pg_switch_wal(); checkpoint") }
                let after = try await Self.dump(database)
                for word in ada.words { #expect(!after.contains(word), "\(word)") }
                #expect(try await Self.found(ada.words, below: data) == [])
                #expect(try await Self.found([ben.words[0]], below: data) == [ben.words[0]])
            }
        }
    }
}
