import Foundation
import NIOHTTP1
import RecorderTesting
import Testing

@testable import Cache

/// What holds of a service that speaks S3 alone.
@Suite struct S3ObjectStoreTests {
    @Test(.timeLimit(.minutes(10))) func `an object of a service that differs from its checksum is told`() async throws
    {
        let store = try await ObjectServer.shared.store(.direct)
        let name = try ObjectName("damaged-\(UUID().uuidString)")
        let wrong = ObjectChecksum.of([9])
        let request = S3Client.Request(
            method: .PUT,
            name: name,
            headers: [(S3ObjectStore.checksumHeader, wrong)],
            body: [1, 2, 3]
        )
        _ = try await store.client.send(request)
        let error = await #expect(throws: CacheError.self) { try await store.bytes(of: name, limit: 10) }
        #expect(error?.code == .corrupt)
    }

    @Test(.timeLimit(.minutes(10))) func `others' names do not hide ours`() async throws {
        let store = try await ObjectServer.shared.store(.direct)
        let prefix = "shared-\(UUID().uuidString)"
        for name in ["a b", "c+d&\u{1}ä", "e"] {
            // Signed by hand, because it is no name of ours.
            let text = "\(prefix)/\(name)"
            _ = try await store.client.send(
                S3Client.Request(method: .PUT, name: ObjectName(unchecked: text), body: [1])
            )
        }
        let found = try await store.list(prefix: prefix, after: nil, limit: 1)
        #expect(found.map(\.description) == ["\(prefix)/e"])
        // What lies below a user's prefix is theirs, whoever stored it.
        #expect(try await store.removeAll(prefix: prefix) == 3)
        #expect(try await store.page(prefix: prefix, limit: 10).keys == [])
    }

    @Test(.timeLimit(.minutes(10))) func `names come in pages, of which the service says whether they are the last`()
        async throws
    {
        let store = try await ObjectServer.shared.store(.direct)
        let prefix = "pages-\(UUID().uuidString)"
        let names = try (1...5).map { try ObjectName("\(prefix)/\($0)") }
        for name in names { try await store.put(name, bytes: [1]) }
        var found: [String] = []
        var next: String?
        repeat {
            let page = try await store.page(prefix: prefix, next: next, limit: 2)
            #expect((1...2).contains(page.keys.count))
            found += page.keys
            next = page.next
        } while next != nil
        #expect(found == names.map(\.description))
    }

    @Test(.timeLimit(.minutes(10))) func `uploads whose process was killed go with the objects, others' stay`()
        async throws
    {
        let store = try await ObjectServer.shared.store(.direct)
        let prefix = "killed-\(UUID().uuidString)"
        for folder in ["a", "a", "b"] {
            let upload = try await S3Upload.begin(ObjectName("\(prefix)/\(folder)/voice.wav"), store.client)
            var (pieces, checksum) = (AsyncStream<[UInt8]> { $0.finish() }.makeAsyncIterator(), ObjectChecksum())
            try await upload.sendParts(beginningWith: [UInt8](repeating: 7, count: 5 << 20), &pieces, &checksum)
        }
        try await store.put(ObjectName("\(prefix)/a/voice.wav"), bytes: [1])
        #expect(try await store.removeAll(prefix: "\(prefix)/a/") == 3)
        let (_, uploads) = try await store.client.send(S3Client.Request(method: .GET, query: [("uploads", "")]))
        let left = S3Answer.texts(of: "Key", in: uploads).filter { $0.hasPrefix(prefix) }
        #expect(left.count == 1 && left.allSatisfy { $0.hasPrefix("\(prefix)/b/") })
        #expect(try await store.removeAll(prefix: "\(prefix)/b/") == 1)
    }

    @Test(.timeLimit(.minutes(10))) func `a copy that fails leaves the old object and nothing else`() async throws {
        let store = try await ObjectServer.shared.store(.direct)
        let name = try ObjectName("copied-\(UUID().uuidString)")
        try await store.put(name, bytes: [1, 2, 3])
        let upload = try await S3Upload.begin(name, store.client)
        var (pieces, checksum) = (AsyncStream<[UInt8]> { $0.finish() }.makeAsyncIterator(), ObjectChecksum())
        try await upload.sendParts(beginningWith: [UInt8](repeating: 7, count: 1_000), &pieces, &checksum)
        // No header can hold it.
        let info = ObjectInfo(name: name, size: 1_000, checksum: "a\nb")
        await #expect(throws: CacheError.self) { try await upload.complete(info) }
        #expect(try await store.bytes(of: name, limit: 10) == [1, 2, 3])
        #expect(try await store.page(prefix: name.description, limit: 10).keys == [name.description])
        #expect(try await store.page(prefix: ".\(name)", limit: 10).keys == [])
    }
}
