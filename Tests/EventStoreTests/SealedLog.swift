import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// A log of a test whose personal fields are sealed, and what goes into it.
enum SealedLog {
    static let secret = "My name is Ada Lovelace"
    static let address = "203.0.113.77"

    static func draft(_ type: EventType, _ data: String, metadata: String = "{}") throws -> EventDraft {
        try EventDraft(id: .fresh(), type: type, data: Array(data.utf8), metadata: Array(metadata.utf8))
    }

    /// A session's first events: who it is about, and what they say.
    static func session(_ stream: StreamID, of user: StreamID?) throws -> Append {
        let named = user.map { #"{"userId":"\#($0)"}"# } ?? "{}"
        return Append(
            stream: stream,
            events: [
                try draft(.sessionStarted, named, metadata: #"{"ipAddress":"\#(address)","actor":"x"}"#),
                try draft(.turnTranscribed, #"{"turnId":"1","userTranscript":"\#(secret)","asrLatencyMs":12}"#),
                try draft(.turnStarted, #"{"turnId":"2","userTranscript":"is nobody's here"}"#),
            ]
        )
    }

    /// A store whose log is sealed.
    static func withSealedStore(
        _ body: (PostgresEventStore, PostgresConfiguration, SealingKeys) async throws -> Void
    ) async throws {
        let keys = SealingKeys([LocalKeyEncryptionKey()])
        try await withTestDatabase { configuration in
            try await Self.withPool(configuration) { pool in
                let outcome = try await KeyAdministration(pool, keys: keys).initialise()
                #expect(outcome == .sealed(hasEventsBefore: false))
            }
            try await withStore(configuration, keys: keys) { try await body($0, configuration, keys) }
        }
    }

    static func withPool<R>(
        _ configuration: PostgresConfiguration,
        _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        try await PostgresPool.with(configuration, limits: .init(size: 2), logger: TestServer.silent, body)
    }

    static func run(_ sql: String, on configuration: PostgresConfiguration) async throws {
        try await withConnection(configuration) { try await $0.run(unsafeSQL: sql) }
    }

    static func text(_ sql: String, on configuration: PostgresConfiguration) async throws -> [[String?]] {
        try await withConnection(configuration) { try await $0.text(unsafeSQL: sql) }
    }

    static let destruction = """
        update subject_keys set wrapped_key = null, destroyed_at = now(); update sealing set generation = generation + 1
        """
}

extension EventDraft {
    /// The same event under another id.
    func renamed() -> EventDraft {
        EventDraft(valid: .fresh(), type: type, occurredAt: occurredAt, data: data, metadata: metadata)
    }
}
