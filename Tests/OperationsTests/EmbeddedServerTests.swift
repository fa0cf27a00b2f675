import Foundation
import Logging
import Postgres
import Testing

@testable import Operations

@Suite struct EmbeddedServerTests {
    let logger = Logger(label: "test")

    /// A folder of its own for the test, removed afterwards.
    func withFolder<R>(_ name: String = "server", _ body: (String) async throws -> R) async throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-embedded-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.appending(path: name).path(percentEncoded: false))
    }

    func configuration(_ folder: String) -> EmbeddedServerConfiguration {
        EmbeddedServerConfiguration(directory: folder, durability: .unsafeForTests)
    }

    func text(_ server: EmbeddedServer, _ sql: String) async throws -> [[String?]] {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()), logger: logger)
        let rows = try await connection.text(unsafeSQL: sql)
        await connection.close()
        return rows
    }

    @Test func `a server starts, keeps its data, and stops`() async throws {
        try await withFolder { folder in
            let first = try await EmbeddedServer.start(configuration(folder), logger: logger)
            _ = try await text(first, "create table kept (n int); insert into kept values (1)")
            await first.stop()
            #expect(LeftoverProcesses.identifiers(in: folder + "/data").isEmpty)
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { second in
                let rows = try await text(
                    second,
                    "select n, current_database(), current_user, current_setting('listen_addresses') from kept"
                )
                #expect(rows == [["1", "recorder", "recorder", ""]])
                let encoding = try await text(
                    second,
                    "select pg_encoding_to_char(encoding), datcollate from pg_database where datname = 'recorder'"
                )
                #expect(encoding == [["UTF8", "C.UTF-8"]])
            }
        }
    }

    @Test func `a second one in the same directory is refused and names the first`() async throws {
        try await withFolder { folder in
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { _ in
                let error = await #expect(throws: OperationsError.self) {
                    try await EmbeddedServer.start(configuration(folder), logger: logger)
                }
                #expect(error?.code == .alreadyRunning)
                #expect(error?.message.contains("process \(getpid())") == true)
            }
        }
    }

    @Test func `an immediate stop loses nothing that was committed`() async throws {
        try await withFolder { folder in
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { server in
                _ = try await text(server, "create table kept (n int); insert into kept values (1)")
                await server.stopImmediately()
                #expect(server.processIdentifier == nil)
                try await server.restart()
                let rows = try await text(server, "select n from kept")
                #expect(rows == [["1"]])
            }
        }
    }

    @Test func `a killed postmaster leaves nothing that hinders the next start`() async throws {
        try await withFolder { folder in
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { server in
                let identifier = try #require(server.processIdentifier)
                kill(identifier, SIGKILL)
                try await server.waitUntilEnded()
                try await server.restart()
                let rows = try await text(server, "select 1")
                #expect(rows == [["1"]])
            }
        }
    }

    @Test func `what else works in the data directory is left alone`() async throws {
        try await withFolder { folder in
            await (try EmbeddedServer.start(configuration(folder), logger: logger)).stop()
            let bystander = Process()
            bystander.executableURL = URL(filePath: "/bin/sleep")
            bystander.arguments = ["600"]
            bystander.currentDirectoryURL = URL(filePath: folder + "/data")
            // Whoever reads what the tests print shall not wait for it.
            bystander.standardOutput = FileHandle.nullDevice
            bystander.standardError = FileHandle.nullDevice
            try bystander.run()
            // It may have been started with signals blocked.
            defer { kill(bystander.processIdentifier, SIGKILL) }
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { server in
                #expect(LeftoverProcesses.identifiers(in: folder + "/data").contains(server.processIdentifier ?? 0))
            }
            #expect(bystander.isRunning)
        }
    }

    @Test func `a path too long for a socket gets a short one`() async throws {
        try await withFolder(String(repeating: "long name, ", count: 12)) { folder in
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { server in
                #expect(server.url().hasPrefix("host=/tmp/recorder-"))
                let rows = try await text(server, "select 1")
                #expect(rows == [["1"]])
            }
            #expect(!FileManager.default.fileExists(atPath: folder + "/socket"))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root drops to another user"))
    func `root's server works below a folder that only root can enter`() async throws {
        try await withFolder { folder in
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o700],
                ofItemAtPath: URL(filePath: folder).deletingLastPathComponent().path(percentEncoded: false)
            )
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { server in
                _ = try await text(server, "create table kept (n int); insert into kept values (1)")
            }
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { server in
                let rows = try await text(server, "select n from kept")
                #expect(rows == [["1"]])
            }
            let data = try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/data")
            #expect(data.hasPrefix("/var/tmp/recorder-"))
            // An empty server in its place would look like a log that has lost everything.
            for lost in [URL(filePath: data), URL(filePath: data).deletingLastPathComponent()] {
                try FileManager.default.removeItem(at: lost)
                let error = await #expect(throws: OperationsError.self) {
                    try await EmbeddedServer.start(configuration(folder), logger: logger)
                }
                #expect(error?.code == .invalidDirectory)
                #expect(error?.message.contains("remove the link to start empty") == true)
            }
        }
    }

    @Test func `a setting that the server refuses is told with the end of its log`() async throws {
        try await withFolder { folder in
            var configuration = configuration(folder)
            configuration.settings["max_connections"] = "many"
            let error = await #expect(throws: OperationsError.self) {
                try await EmbeddedServer.start(configuration, logger: logger)
            }
            #expect(error?.code == .startFailed)
            #expect(error?.message.contains("max_connections") == true)
            // Nobody holds the directory any more.
            configuration.settings["max_connections"] = nil
            try await EmbeddedServer.withServer(configuration, logger: logger) { _ in }
        }
    }

    @Test func `a server that is stopped twice leaves its successor alone`() async throws {
        try await withFolder { folder in
            let first = try await EmbeddedServer.start(configuration(folder), logger: logger)
            await first.stop()
            try await EmbeddedServer.withServer(configuration(folder), logger: logger) { second in
                await first.stop()
                let rows = try await text(second, "select 1")
                #expect(rows == [["1"]])
            }
        }
    }

    @Test func `a directory with something else in it is left alone`() async throws {
        try await withFolder { folder in
            let file = folder + "/data/thesis.txt"
            try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
            try "years of work".write(toFile: file, atomically: true, encoding: .utf8)
            let error = await #expect(throws: OperationsError.self) {
                try await EmbeddedServer.start(configuration(folder), logger: logger)
            }
            #expect(error?.code == .invalidDirectory)
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "years of work")
        }
    }
}
