import Cache
import Directory
import EventModel
import EventStore
import Foundation
import PayloadCodec
import Postgres
import Projector
import RecorderTesting
import Schema

@testable import Privacy

/// A recorder with a sealed log, in which people have said things.
struct PrivacyWorld: Sendable {
    let database: PostgresConfiguration
    let keys: SealingKeys
    let objects: DirectoryObjectStore
    /// Where the objects are.
    var folder = ""

    /// What a person gave away: each stands in one place at least, and nowhere if they were erased.
    struct Person: Sendable {
        let id = StreamID(UUID())
        let session = StreamID.generate(at: .now())
        let words: [String]

        init(_ name: String) {
            words = [
                "\(name)transcript", "\(name)response", "\(name)spoken", "\(name)query", "\(name)email", "\(name)trait",
                "\(name)setting", "\(name)filename", "\(name)content", "\(name)voicepath", "\(name)facepath",
                "\(name)agent", "\(name)cached", "\(name)searched", "\(name)object",
            ]
        }
    }

    func run(_ sql: String) async throws { try await withConnection(database) { try await $0.run(unsafeSQL: sql) } }

    func text(_ sql: String) async throws -> [[String?]] {
        try await withConnection(database) { try await $0.text(unsafeSQL: sql) }
    }

    func withPool<R>(_ body: (PostgresPool) async throws -> R) async throws -> R {
        try await PostgresPool.with(database, limits: .init(size: 4), logger: TestServer.silent, body)
    }

    func withStore<R>(_ body: (PostgresEventStore) async throws -> R) async throws -> R {
        try await PostgresEventStore.with(
            database,
            keys: keys,
            limits: .init(size: 4),
            logger: TestServer.silent,
            body
        )
    }

    /// Waits until sessions of this database wait for others' locks.
    func waitForBlocked(_ count: Int = 1) async throws {
        let blocked = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        try await eventually("\(count) sessions wait for a lock") { try await text(blocked).count >= count }
    }

    /// Projects the log to its head.
    func project() async throws {
        let options = ProjectorOptions(batchSize: 1_000, onFailure: .halt)
        let projections = try ProjectionFiles.newest(in: .embedded)
        let projector = Projector(database, projections: projections, keys: keys, options: options)
        try await projector.runUntilCaughtUp()
    }

    /// How many rows differ between the live read models and a fold of the log.
    func differences() async throws -> Int {
        var count = 0
        for files in try ProjectionFiles.newest(in: .embedded) {
            let verify = ProjectionVerify(files, configuration: database, options: RebuildOptions(keys: keys))
            count += try await verify.run().comparison.differenceCount
        }
        return count
    }

    /// A person talks in a session, has a voice, a face and a document, and leaves things in caches.
    func live(_ person: Person) async throws {
        let words = person.words
        try await withPool { pool in
            let metadata = EventMetadata(ipAddress: "203.0.113.222", userAgent: words[11])
            let own = UserDirectory(pool, keys: keys).acting(for: ActingUser(person.id, metadata: metadata))
            _ = try await own.users.create(
                .init(
                    email: "\(words[4])@example.org",
                    personalityTraits: [words[5]],
                    settings: .object([.init("note", .string(words[6]))])
                )
            )
            _ = try await own.voiceModels.create(.init(provider: .xtts, modelPath: words[9]))
            _ = try await own.faceModels.create(.init(modelPath: words[10], width: 64, height: 64))
            _ = try await own.documents.create(.init(filename: words[7], textContent: "it holds \(words[8])"))
        }
        try await append(person.session, try Self.conversation(person))
        try await run(
            """
            insert into llm_response_cache (user_id, key, model, response, generation, expires_at)
            values ('\(person.id)', sha256('\(words[12])'), 'm', '\(words[12])', 0, now() + interval '1 day');
            insert into vector_search_cache (user_id, key, document_ids, chunks, scores, texts, generation, expires_at)
            values ('\(person.id)', sha256('s'), array[gen_random_uuid()], array[1], array[1.0], array['\(words[13])'], 0,
                    now() + interval '1 day')
            """
        )
        let name = try ObjectName.user(person.id.uuid, "voice.bin")
        try await objects.put(name, bytes: Array(words[14].utf8))
    }

    /// Appends events to a stream.
    func append(_ stream: StreamID, _ events: [EventDraft]) async throws {
        _ = try await withStore { store in
            try await store.withAppender { try await $0.append(Append(stream: stream, events: events)) }
        }
    }

    private static func conversation(_ person: Person) throws -> [EventDraft] {
        let words = person.words
        let turn = UUID().uuidString
        return try [
            (.sessionStarted, #"{"userId":"\#(person.id)","llmProvider":"openai"}"#),
            (.turnStarted, #"{"turnId":"\#(turn)","turnIndex":1}"#),
            (
                .turnTranscribed,
                #"{"turnId":"\#(turn)","userTranscript":"\#(words[0])","asrLatencyMs":100,"asrCost":"0.002"}"#
            ),
            (.turnRetrieved, #"{"turnId":"\#(turn)","query":"\#(words[3])","ragLatencyMs":10}"#),
            (
                .turnGenerated,
                #"{"turnId":"\#(turn)","llmResponse":"\#(words[1])","llmLatencyMs":300,"llmCost":"0.01"}"#
            ),
            (.turnInterrupted, #"{"turnId":"\#(turn)","by":"user","spokenText":"\#(words[2])"}"#),
            (.turnCompleted, #"{"turnId":"\#(turn)","endToEndLatencyMs":420}"#), (.sessionEnded, #"{"reason":"done"}"#),
        ].map { (type: EventType, data: String) in
            try EventDraft(
                id: .generate(at: .now()),
                type: type,
                data: Array(data.utf8),
                metadata: Array(#"{"actor":"gateway","ipAddress":"203.0.113.222","userAgent":"\#(words[11])"}"#.utf8)
            )
        }
    }

    /// Erases a person.
    func erase(_ person: Person) async throws -> ErasureCertificate {
        try await withErasure(of: person.id) { try await $0.run() }
    }

    /// Lends out the erasure of somebody.
    func withErasure<R>(of user: StreamID, _ body: (SubjectErasure) async throws -> R) async throws -> R {
        try await withPool { pool in
            try await withStore { store in
                let erasure = SubjectErasure(
                    of: user,
                    actor: "officer",
                    pool: pool,
                    store: store,
                    projections: try ProjectionFiles.all(in: .embedded),
                    objects: objects
                )
                return try await body(erasure)
            }
        }
    }

    /// The views that show what people said.
    func shown() async throws -> String {
        let rows = try await text(
            """
            select to_jsonb(v)::text from conversation_turns v union all select to_jsonb(v)::text from audit_logs v
            union all select to_jsonb(v)::text from users v union all select to_jsonb(v)::text from voice_models v
            union all select to_jsonb(v)::text from face_models v union all select to_jsonb(v)::text from knowledge_documents v
            union all select to_jsonb(v)::text from llm_response_cache v
            union all select to_jsonb(v)::text from vector_search_cache v
            """
        )
        return rows.compactMap { $0[0] }.joined(separator: "\n")
    }

    /// What must not change: counts, costs and latencies.
    func figures() async throws -> [[String?]] {
        try await text(
            """
            select to_jsonb(s)::text from conversation_sessions s
            union all select to_jsonb(c)::text from conversation_costs c
            union all select (to_jsonb(t) - array['user_transcript', 'llm_response', 'spoken_text'])::text from conversation_turns t
            union all select to_jsonb(l)::text from latency_metrics l order by 1
            """
        )
    }
}

/// Runs a test in a world of its own.
func withPrivacyWorld<R>(
    on given: PostgresConfiguration? = nil,
    _ body: (PrivacyWorld) async throws -> R
) async throws -> R {
    let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-objects-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let objects = DirectoryObjectStore(directory: folder.path(percentEncoded: false))
    func prepared(_ database: PostgresConfiguration) async throws -> PrivacyWorld {
        let world = PrivacyWorld(
            database: database,
            keys: SealingKeys([LocalKeyEncryptionKey()]),
            objects: objects,
            folder: folder.path(percentEncoded: false)
        )
        _ = try await world.withPool { try await KeyAdministration($0, keys: world.keys).initialise() }
        return world
    }
    if let given { return try await body(try await prepared(given)) }
    return try await withTestDatabase { try await body(try await prepared($0)) }
}
