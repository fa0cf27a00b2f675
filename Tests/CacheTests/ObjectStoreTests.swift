import Foundation
import NIOHTTP1
import RecorderTesting
import Synchronization
import Testing

@testable import Cache

/// What holds of every store.
@Suite struct ObjectStoreTests {
    private struct Broken: Error {}

    /// A kind of store.
    enum Kind: CaseIterable, Sendable { case directory, service, failingService }

    /// Runs a test on a store, with a prefix of names that no other test has.
    private static func withStore(
        _ kind: Kind,
        _ body: @Sendable (any ObjectStore, String) async throws -> Void
    ) async throws {
        let prefix = "test-\(UUID().uuidString)"
        switch kind {
        case .directory:
            let folder = FileManager.default.temporaryDirectory.appending(path: prefix)
            defer { try? FileManager.default.removeItem(at: folder) }
            try await body(DirectoryObjectStore(directory: folder.path(percentEncoded: false)), prefix)
        case .service: try await body(ObjectServer.shared.store(.direct), prefix)
        case .failingService: try await body(ObjectServer.shared.store(.failing), prefix)
        }
    }

    /// Bytes that differ everywhere.
    private static func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += pattern.prefix(count - bytes.count) }
        return bytes
    }

    /// Its length is a prime, so that no two pieces of a body are the same.
    private static let pattern = (0..<65_521).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7) }

    /// A stream of pieces that ends, or breaks.
    private static func stream(_ pieces: [[UInt8]], breaks: Bool = false) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            for piece in pieces { continuation.yield(piece) }
            continuation.finish(throwing: breaks ? Broken() : nil)
        }
    }

    @Test func `a user's objects lie below the id as the database writes it`() throws {
        let user = try #require(UUID(uuidString: "019CAD8F-AC00-7E4E-A7B6-815D4E98868F"))
        let name = try ObjectName.user(user, "documents/7.pdf")
        #expect(name.description == "users/019cad8f-ac00-7e4e-a7b6-815d4e98868f/documents/7.pdf")
        #expect(name.description.hasPrefix(ObjectName.folder(of: user)))
        for path in ["", "../voice.wav", "a//b"] {
            let error = #expect(throws: CacheError.self) { try ObjectName.user(user, path) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func `a directory that is not there is not taken for an empty one`() async throws {
        let store = DirectoryObjectStore(directory: "/nonexistent-\(UUID().uuidString)")
        for prefix in ["", "users/"] {
            let error = await #expect(throws: CacheError.self) { try await store.removeAll(prefix: prefix) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: Kind.allCases)
    func `what is stored is read, whatever its size`(kind: Kind) async throws {
        try await Self.withStore(kind) { store, prefix in
            // Around the sizes where a store changes its way: 5 MiB is a part.
            for size in [0, 1, 300_000, 5 << 20, (5 << 20) + 1, (11 << 20) + 7] {
                let name = try ObjectName("\(prefix)/\(size).bin")
                let bytes = Self.bytes(size)
                let pieces = stride(from: 0, to: size, by: 700_001).map { Array(bytes[$0..<min($0 + 700_001, size)]) }
                let stored = try await store.put(name, Self.stream(pieces))
                #expect(stored == ObjectInfo(name: name, size: size, checksum: ObjectChecksum.of(bytes)))
                #expect(try await store.info(name) == stored)
                #expect(try await store.bytes(of: name, limit: size) == bytes)
            }
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: Kind.allCases)
    func `a new content takes the old one's place, and removing twice is no error`(kind: Kind) async throws {
        try await Self.withStore(kind) { store, prefix in
            let name = try ObjectName("\(prefix)/a")
            for text in ["first", "second, which is longer", "3"] {
                try await store.put(name, bytes: Array(text.utf8))
                #expect(try await store.bytes(of: name, limit: 100) == Array(text.utf8))
            }
            for _ in 0..<2 { try await store.remove(name) }
            #expect(try await store.info(name) == nil)
            let missing = await #expect(throws: CacheError.self) { try await store.bytes(of: name, limit: 100) }
            #expect(missing?.code == .notFound)
            #expect(missing?.message.contains(name.description) == true)
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: [Kind.directory, .service])
    func `names are listed in order, in pages, by prefix, and removed together`(kind: Kind) async throws {
        try await Self.withStore(kind) { store, prefix in
            let texts = ["a", "a/b", "a/b/c", "a-b", "ab", "b/1", "b/2"].map { "\(prefix)/\($0)" }
            let names = try texts.map { try ObjectName($0) }.sorted()
            for name in names { try await store.put(name, bytes: [1]) }
            #expect(try await store.list(prefix: prefix, after: nil, limit: 1_000) == names)
            var paged: [ObjectName] = []
            while true {
                let page = try await store.list(prefix: prefix, after: paged.last, limit: 3)
                guard !page.isEmpty else { break }
                paged += page
                try #require(paged.count <= names.count, "a page came again")
            }
            #expect(paged == names)
            let below = try await store.list(prefix: "\(prefix)/a/", after: nil, limit: 10)
            #expect(below.map(\.description) == ["\(prefix)/a/b", "\(prefix)/a/b/c"])
            #expect(try await store.removeAll(prefix: "\(prefix)/a") == 5)
            #expect(try await store.list(prefix: prefix, after: nil, limit: 10).count == 2)
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: Kind.allCases, [1, 8])
    func `a body that breaks leaves the old object and nothing else`(kind: Kind, megabytes: Int) async throws {
        try await Self.withStore(kind) { store, prefix in
            let name = try ObjectName("\(prefix)/a")
            try await store.put(name, bytes: [1, 2, 3])
            let pieces = (0..<megabytes).map { _ in Self.bytes(1 << 20) }
            await #expect(throws: Broken.self) { try await store.put(name, Self.stream(pieces, breaks: true)) }
            #expect(try await store.bytes(of: name, limit: 10) == [1, 2, 3])
            #expect(try await store.list(prefix: prefix, after: nil, limit: 10) == [name])
            try await Self.expectNoUploads(to: store, prefix)
            if let service = store as? S3ObjectStore {
                #expect(try await service.page(prefix: prefix, limit: 10).keys == [name.description])
            }
        }
    }

    /// Expects that no upload in pieces was left unfinished.
    private static func expectNoUploads(to store: any ObjectStore, _ prefix: String) async throws {
        guard let service = store as? S3ObjectStore else { return }
        let request = S3Client.Request(method: .GET, query: [("uploads", "")])
        let (_, uploads) = try await service.client.send(request)
        #expect(!S3Answer.texts(of: "Key", in: uploads).contains { $0.hasPrefix(prefix) })
    }

    @Test(.timeLimit(.minutes(10)), arguments: [Kind.directory, .service])
    func `a task that is cancelled while it stores leaves nothing`(kind: Kind) async throws {
        try await Self.withStore(kind) { store, prefix in
            let name = try ObjectName("\(prefix)/a")
            let (gate, given, piece) = (Gate(), Shared(0), Self.bytes(6 << 20))
            let pieces = AsyncThrowingStream<[UInt8], any Error> {
                if given.add() > 1 { try await gate.pass() }
                return piece
            }
            let task = Task { try await store.put(name, pieces) }
            await gate.waitForArrival()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await store.info(name) == nil)
            try await Self.expectNoUploads(to: store, prefix)
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: [Kind.directory, .service])
    func `reading may stop early`(kind: Kind) async throws {
        try await Self.withStore(kind) { store, prefix in
            let name = try ObjectName("\(prefix)/a")
            let bytes = Self.bytes(6 << 20)
            try await store.put(name, bytes: bytes)
            let first = try await store.get(name) { _, pieces in
                for try await piece in pieces { return piece }
                return []
            }
            #expect(!first.isEmpty && first.count < bytes.count && first == Array(bytes.prefix(first.count)))
            let large = await #expect(throws: CacheError.self) { try await store.bytes(of: name, limit: 1_000) }
            #expect(large?.code == .invalidArgument)
        }
    }

    /// A body that notes how far it was read.
    private struct CountedBody: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let piece: [UInt8]
        var rest: Int
        let produced: Shared<Int>

        func makeAsyncIterator() -> Self { self }

        mutating func next() async throws -> [UInt8]? {
            guard rest > 0 else { return nil }
            rest -= 1
            produced.add()
            return piece
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `a body is taken no faster than its parts are stored`() async throws {
        // The bucket is not there, so nothing is ever stored: how much of 1 GiB was taken is what is held at most.
        let store = try await ObjectServer.shared.store(.direct, bucket: "not-there")
        let produced = Shared(0)
        let body = CountedBody(piece: Self.bytes(1 << 20), rest: 1 << 10, produced: produced)
        let error = await #expect(throws: CacheError.self) { try await store.put(ObjectName("a"), body) }
        #expect(error?.code == .refused)
        #expect(error?.description.contains("NoSuchBucket") == true)
        #expect(produced.value <= 6)
    }

    @Test func `a damaged file is told`() async throws {
        try await Self.withStore(.directory) { store, prefix in
            let name = try ObjectName("\(prefix)/a")
            try await store.put(name, bytes: Self.bytes(1_000))
            let path = FileManager.default.temporaryDirectory.appending(path: "\(prefix)/\(name).object")
            let whole = try Data(contentsOf: path)
            for damaged in [whole.dropLast(), whole + [0], Data(whole.enumerated().map { $0 == 500 ? $1 ^ 1 : $1 })] {
                try Data(damaged).write(to: path)
                let error = await #expect(throws: CacheError.self) { try await store.bytes(of: name, limit: 2_000) }
                #expect(error?.code == .corrupt)
            }
            try whole.prefix(20).write(to: path)
            let error = await #expect(throws: CacheError.self) { try await store.info(name) }
            #expect(error?.code == .corrupt)
        }
    }

    @Test func `a service that never answers is given up, and says why`() async throws {
        var configuration = S3Configuration(
            endpoint: "http://127.0.0.1:1",
            bucket: "recordings",
            region: "auto",
            accessKeyID: "a",
            secretAccessKey: "b"
        )
        configuration.attempts = 3
        configuration.timeout = .milliseconds(200)
        let store = try S3ObjectStore(configuration)
        let error = await #expect(throws: CacheError.self) { try await store.info(ObjectName("a")) }
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains("3 tries") == true)
    }

    @Test func `what a crashed process was writing is removed, what is being written stays`() async throws {
        try await Self.withStore(.directory) { store, prefix in
            let folder = FileManager.default.temporaryDirectory.appending(path: "\(prefix)/.uploads")
            try await store.put(ObjectName("\(prefix)/a"), bytes: [1])
            let names = ["left", "busy"].map { folder.appending(path: $0) }
            for name in names { try Data("words".utf8).write(to: name) }
            let busy = try ObjectFile(names[1].path(percentEncoded: false), O_RDWR)
            #expect(busy.lock())
            try await store.put(ObjectName("\(prefix)/b"), bytes: [1])
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
            #expect(left == ["busy"])
            _ = busy
        }
    }

    @Test(arguments: [
        "", "/a", "a/", "a//b", ".", "..", "a/../b", ".a", "a b", "ä", "a\u{0}", "a.object", "a.object/b",
        String(repeating: "a", count: 201), Array(repeating: "aaaa", count: 110).joined(separator: "/"),
    ])
    func `a name that is unsafe somewhere is refused`(text: String) {
        let error = #expect(throws: CacheError.self) { try ObjectName(text) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func `a wrong setting is named`() {
        let sound = S3Configuration(
            endpoint: "https://s3.example",
            bucket: "recordings",
            region: "auto",
            accessKeyID: "a",
            secretAccessKey: "b"
        )
        let faults: [(String, @Sendable (inout S3Configuration) -> Void)] = [
            ("endpoint", { $0.endpoint = "s3.example" }), ("endpoint", { $0.endpoint = "https://s3.example/path" }),
            ("bucket", { $0.bucket = "a/b" }), ("region", { $0.region = "" }), ("credentials", { $0.accessKeyID = "" }),
            ("part size", { $0.partSize = 1 << 20 }), ("parallel", { $0.parallelParts = 0 }),
            ("attempts", { $0.attempts = 0 }), ("timeout", { $0.timeout = .zero }),
            ("timeout", { $0.timeout = .seconds(Int64.max) }),
        ]
        #expect(throws: Never.self) { try sound.check() }
        for (word, spoil) in faults {
            var configuration = sound
            spoil(&configuration)
            let error = #expect(throws: CacheError.self) { try configuration.check() }
            #expect(error?.message.contains(word) == true)
        }
    }
}
