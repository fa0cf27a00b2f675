import Foundation
import Testing

@testable import Cache

/// What holds of a directory alone.
@Suite struct DirectoryObjectStoreTests {
    /// Runs a test on a directory of its own, whose name is given, too.
    private static func withStore(_ body: (DirectoryObjectStore, String) async throws -> Void) async throws {
        let prefix = "test-\(UUID().uuidString)"
        let folder = FileManager.default.temporaryDirectory.appending(path: prefix)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(DirectoryObjectStore(directory: folder.path(percentEncoded: false)), prefix)
    }

    @Test func `what a crashed process was writing goes with whatever is erased`() async throws {
        try await Self.withStore { store, prefix in
            let folder = FileManager.default.temporaryDirectory.appending(path: "\(prefix)/.uploads")
            try await store.put(ObjectName("\(prefix)/a"), bytes: [1])
            try Data("words".utf8).write(to: folder.appending(path: "left"))
            #expect(try await store.removeAll(prefix: "users/nobody/") == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)) == [])
            #expect(try await store.list(prefix: "", after: nil, limit: 10).count == 1)
        }
    }

    @Test func `a link in a person's folder goes, and what it leads to stays`() async throws {
        try await Self.withStore { store, prefix in
            let root = FileManager.default.temporaryDirectory.appending(path: prefix)
            let precious = FileManager.default.temporaryDirectory.appending(path: "\(prefix)-precious")
            defer { try? FileManager.default.removeItem(at: precious) }
            try FileManager.default.createDirectory(at: precious, withIntermediateDirectories: true)
            try Data("words".utf8).write(to: precious.appending(path: "file"))
            try await store.put(ObjectName("users/ada/a"), bytes: [1])
            let link = root.appending(path: "users/ada/link")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: precious)
            #expect(try await store.removeAll(prefix: "users/ada/") == 2)
            #expect(
                FileManager.default.fileExists(atPath: precious.appending(path: "file").path(percentEncoded: false))
            )
            let left = try FileManager.default.contentsOfDirectory(
                atPath: root.path(percentEncoded: false) + "/users/ada"
            )
            #expect(left == [])
        }
    }

    @Test func `a file of another program is no object, is named where all are wanted, and goes with them`()
        async throws
    {
        try await Self.withStore { store, prefix in
            let name = try ObjectName("\(prefix)/a")
            try await store.put(name, bytes: [1])
            let folder = FileManager.default.temporaryDirectory.appending(path: "\(prefix)/\(prefix)")
            for other in ["b c.object", "plain.txt", ".hidden"] {
                if other == "plain.txt" {
                    let all = try await store.listAll(prefix: prefix, after: nil, limit: 10)
                    #expect(all.map(\.description) == ["\(prefix)/a", "\(prefix)/b c"])
                }
                try Data("x".utf8).write(to: folder.appending(path: other))
            }
            #expect(try await store.list(prefix: prefix, after: nil, limit: 10) == [name])
            let error = await #expect(throws: CacheError.self) {
                try await store.listAll(prefix: prefix, after: nil, limit: 10)
            }
            #expect(error?.message.contains("is no object") == true)
            #expect(try await store.removeAll(prefix: prefix) == 4)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)) == [])
        }
    }
}
