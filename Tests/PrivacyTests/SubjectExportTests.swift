import Crypto
import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Cache
@testable import Privacy

/// What an export holds: everything about the person, nothing about others, and a manifest that fits.
@Suite struct SubjectExportTests {
    private static func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-export-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.path(percentEncoded: false))
    }

    private static func export(
        _ world: PrivacyWorld,
        _ person: PrivacyWorld.Person,
        to folder: String,
        objects: (any ObjectStore)? = nil
    ) async throws {
        try await world.withPool { pool in
            try await world.withStore { store in
                let export = SubjectExport(
                    of: person.id,
                    actor: "officer",
                    pool: pool,
                    store: store,
                    objects: objects ?? world.objects
                )
                try await export.write(to: folder)
            }
        }
    }

    /// The objects that a manifest names, each with what its file holds, and nothing else about it.
    private static func objects(in folder: String) throws -> [String: String] {
        let manifest = try JSONValue(json: Array(try Data(contentsOf: URL(filePath: "\(folder)/manifest.json"))))
        guard case .array(let entries)? = manifest["files"] else { return [:] }
        var objects: [String: String] = [:]
        for entry in entries {
            guard let object = entry["object"]?.string else { continue }
            #expect(entry["rows"] == nil)
            let file = try #require(entry["file"]?.string)
            objects[object] = String(decoding: try Data(contentsOf: URL(filePath: "\(folder)/\(file)")), as: UTF8.self)
        }
        return objects
    }

    @Test func `an object whose name is another's beginning is there, and lines in one are not counted`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            for path in ["take", "take/1.wav", "notes.jsonl"] {
                try await world.objects.put(ObjectName.user(ada.id.uuid, path), bytes: Array("\(path)\n\n".utf8))
            }
            try await Self.withFolder { folder in
                try await Self.export(world, ada, to: folder)
                let own = ObjectName.folder(of: ada.id.uuid)
                #expect(
                    try Self.objects(in: folder) == [
                        "\(own)voice.bin": ada.words[14], "\(own)take": "take\n\n",
                        "\(own)take/1.wav": "take/1.wav\n\n", "\(own)notes.jsonl": "notes.jsonl\n\n",
                    ]
                )
            }
        }
    }

    @Test func `a file that is no object is named, and in the way of no erasure`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            let stray = "\(world.folder)/users/\(ada.id)/plain.txt"
            try Data("x".utf8).write(to: URL(filePath: stray))
            try await Self.withFolder { folder in
                let error = await #expect(throws: CacheError.self) { try await Self.export(world, ada, to: folder) }
                #expect(error?.message.contains("plain.txt is no object") == true)
            }
            let certificate = try JSONValue(json: Array(try await world.erase(ada).json.utf8))
            #expect(certificate["done"]?["objects"]?.integer == 2)
            #expect(!FileManager.default.fileExists(atPath: stray))
        }
    }

    @Test(.timeLimit(.minutes(10))) func `objects in a bucket are there under whatever names others gave them`()
        async throws
    {
        guard let address = try await ObjectServer.shared.address(.direct) else {
            try Test.cancel("moto cannot be installed: PyPI is not reached from here")
        }
        let store = try S3ObjectStore(
            S3Configuration(
                endpoint: address,
                bucket: "recordings",
                region: "auto",
                accessKeyID: "test",
                secretAccessKey: "test"
            )
        )
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            let own = ObjectName.folder(of: ada.id.uuid)
            let keys = [
                "ok.wav", "take", "take/1.wav", "a b+ü.wav", "x//y.wav", "per%2Fcent.wav", "star*'(1).wav", ".hidden",
                String(repeating: "long-", count: 80) + "1", String(repeating: "long-", count: 80) + "2",
            ].map { own + $0 }
            for key in keys { try await store.put(ObjectName(unchecked: key), bytes: Array(key.utf8)) }
            try await Self.withFolder { folder in
                try await Self.export(world, ada, to: folder, objects: store)
                let found = try Self.objects(in: folder)
                #expect(found.keys.sorted() == keys.sorted())
                for (key, content) in found { #expect(content == key) }
            }
        }
    }

    @Test func `a login without the rights is told which to take`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            var analyst = world.database
            analyst.settings["role"] = "recorder_analyst"
            let other = PrivacyWorld(database: analyst, keys: world.keys, objects: world.objects)
            try await Self.withFolder { folder in
                let error = await #expect(throws: PrivacyError.self) { try await Self.export(other, ada, to: folder) }
                #expect(error?.message.contains("recorder_owner") == true)
            }
        }
    }

    @Test func `everything about a person is there, and nothing of another`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            try await world.live(ada)
            try await world.live(ben)
            try await world.project()
            try await Self.withFolder { folder in
                try await Self.export(world, ada, to: folder)
                let manifest = try JSONValue(
                    json: Array(try Data(contentsOf: URL(filePath: "\(folder)/manifest.json")))
                )
                #expect(manifest["subject"]?.string == ada.id.description)
                var all = ""
                var counted: [String: Int] = [:]
                guard case .array(let entries)? = manifest["files"] else {
                    Issue.record("there are no files")
                    return
                }
                for entry in entries {
                    let name = try #require(entry["file"]?.string)
                    let content = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
                    let hash = SHA256.hash(data: content).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                    #expect(entry["sha256"]?.string == hash, "\(name)")
                    #expect(entry["bytes"]?.integer == content.count, "\(name)")
                    let text = String(decoding: content, as: UTF8.self)
                    if let rows = entry["rows"]?.integer {
                        let lines = text.split(separator: "\n")
                        #expect(lines.count == rows, "\(name)")
                        for line in lines { _ = try JSONValue(json: Array(line.utf8)) }
                        counted[name] = rows
                    }
                    all += text
                }
                for word in ada.words { #expect(all.contains(word), "\(word)") }
                for word in ben.words { #expect(!all.contains(word), "\(word)") }
                #expect(counted["events.jsonl"] == 12)
                #expect(counted["conversation_turns.jsonl"] == 1)
                #expect(counted["conversation_sessions.jsonl"] == 1)
                #expect(counted["knowledge_documents.jsonl"] == 1)
                #expect(counted["audit_logs.jsonl"] == 6)
                // Nobody else on the machine reads it.
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/events.jsonl")
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
                let around = try FileManager.default.attributesOfItem(atPath: folder)
                #expect((around[.posixPermissions] as? NSNumber)?.intValue == 0o700)

                let last = try await world.withStore { try await $0.read(ada.id, from: nil, .backwards, limit: 1) }
                #expect(last.first?.type.name == "access.exported")
                let error = await #expect(throws: PrivacyError.self) {
                    try await Self.export(world, ada, to: folder)
                }
                #expect(error?.code == .file)
            }
        }
    }

    @Test func `objects below an id in capitals are there, too, each as a file of its own`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.objects.put(ObjectName("users/\(ada.id.uuid)/voice.bin"), bytes: Array("capitals".utf8))
            try await Self.withFolder { folder in
                try await Self.export(world, ada, to: folder)
                let texts = try ["voice.bin", "users%2F\(ada.id.uuid)%2Fvoice.bin"].map {
                    String(decoding: try Data(contentsOf: URL(filePath: "\(folder)/objects/\($0)")), as: UTF8.self)
                }
                #expect(texts == [ada.words[14], "capitals"])
            }
        }
    }

    @Test func `an export of nobody, or of a session, is refused and leaves nothing`() async throws {
        try await withPrivacyWorld { world in
            let (ada, stranger) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("stranger"))
            try await world.live(ada)
            // What once was written about an export makes nobody known.
            try await world.append(
                stranger.id,
                [
                    try EventDraft(
                        id: .generate(at: .now()),
                        type: try EventType("access.exported"),
                        data: Array("{}".utf8)
                    )
                ]
            )
            let before = try await world.text("select count(*) from events")
            for id in [StreamID(UUID()), stranger.id, ada.session] {
                try await Self.withFolder { folder in
                    let error = await #expect(throws: PrivacyError.self) {
                        try await world.withPool { pool in
                            try await world.withStore { store in
                                let export = SubjectExport(of: id, actor: "officer", pool: pool, store: store)
                                try await export.write(to: folder)
                            }
                        }
                    }
                    #expect(error?.code == .notFound && error?.message.contains("nothing was written") == true)
                    #expect(!FileManager.default.fileExists(atPath: folder))
                }
            }
            #expect(try await world.text("select count(*) from events") == before)
            let error = await #expect(throws: PrivacyError.self) { _ = try await world.erase(stranger) }
            #expect(error?.code == .notFound)
        }
    }

    @Test func `a slash at the end is no part of the name, and a failed export leaves nothing`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await Self.withFolder { folder in
                try await Self.export(world, ada, to: "\(folder)/")
                #expect(FileManager.default.fileExists(atPath: "\(folder)/manifest.json"))
                let sealed = PrivacyWorld(database: world.database, keys: .none, objects: world.objects)
                await #expect(throws: EventStoreError.self) {
                    try await Self.export(sealed, ada, to: "\(folder)-again")
                }
                let parent = URL(filePath: folder).deletingLastPathComponent().path(percentEncoded: false)
                let name = URL(filePath: folder).lastPathComponent
                let left = try FileManager.default.contentsOfDirectory(atPath: parent).filter { $0.hasPrefix(name) }
                #expect(left == [name])
            }
            for name in ["", "/"] {
                let error = await #expect(throws: PrivacyError.self) {
                    try await Self.export(world, ada, to: name)
                }
                #expect(error?.code == .invalid)
            }
        }
    }

    @Test func `after an erasure an export holds no word`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.project()
            _ = try await world.erase(ada)
            try await Self.withFolder { folder in
                try await Self.export(world, ada, to: folder)
                let all = try await ChildProgram.run(
                    "cat",
                    [
                        "\(folder)/events.jsonl", "\(folder)/users.jsonl", "\(folder)/audit_logs.jsonl",
                        "\(folder)/conversation_turns.jsonl", "\(folder)/knowledge_documents.jsonl",
                    ]
                ).text
                for word in ada.words { #expect(!all.contains(word), "\(word)") }
                #expect(all.contains("\"erased\":[\"data.userTranscript\""))
            }
        }
    }
}
