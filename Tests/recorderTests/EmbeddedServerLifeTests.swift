import Foundation
import RecorderTesting
import Testing

/// The embedded server and the process that runs it: neither is left without the other.
@Suite struct EmbeddedServerLifeTests {
    /// Starts `recorder dev` in a new folder and gives its server's process id once it is there.
    private func withDev(_ body: (RecorderCommand, URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-life-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(try start(in: folder), folder)
    }

    private func start(in folder: URL) throws -> RecorderCommand {
        try RecorderCommand(["dev", "--directory", "server"], directory: folder)
    }

    /// The server's process id, once it accepts connections; the bound is generous for a loaded machine.
    private func server(in folder: URL) async throws -> Int32 {
        let file = folder.appending(path: "server/data/postmaster.pid")
        for _ in 0..<1_200 {
            let lines = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
            if let line = lines.first, let id = Int32(line), lines.last?.hasPrefix("ready") == true, isAlive(id) {
                return id
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CocoaError(.fileNoSuchFile)
    }

    private func isAlive(_ id: Int32) -> Bool {
        FileManager.default.fileExists(atPath: "/proc/\(id)/cwd")
            && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/cwd")) != nil
    }

    private func waitUntilGone(_ id: Int32) async throws -> Bool {
        for _ in 0..<1_200 {
            if !isAlive(id) { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal stops the server before the program ends`(signal: Int32) async throws {
        try await withDev { dev, folder in
            let id = try await server(in: folder)
            dev.send(signal)
            let result = await dev.result()
            #expect(result.status == 0)
            #expect(!isAlive(id))
        }
    }

    @Test func `a killed program's server stops by itself, and the next start goes on with its data`() async throws {
        try await withDev { dev, folder in
            let id = try await server(in: folder)
            dev.send(SIGKILL)
            let killed = await dev.result()
            #expect(killed.status == -SIGKILL)
            #expect(try await waitUntilGone(id))
            // At once again, and killed again while it starts.
            let second = try start(in: folder)
            second.send(SIGKILL)
            _ = await second.result()
            let third = try start(in: folder)
            let next = try await server(in: folder)
            #expect(next != id)
            third.send(SIGTERM)
            let ended = await third.result()
            #expect(ended.status == 0)
            #expect(!isAlive(next))
        }
    }

    @Test func `a second one is refused with exit status 1 and the first one's process id`() async throws {
        try await withDev { dev, folder in
            _ = try await server(in: folder)
            let second = await (try start(in: folder)).result()
            #expect(second.status == 1)
            #expect(second.errors.contains("process \(dev.id)"))
            dev.send(SIGTERM)
            _ = await dev.result()
        }
    }
}
