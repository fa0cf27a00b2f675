import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// Two users who each have everything: Ann, after whose rows others are, and Bob, who is after them.
struct IsolationFixture: Sendable {
    /// A word that stands in everything that is Ann's.
    static let secret = "xylophone"

    let directory: DirectoryFixture
    let ann: Repositories
    let bob: Repositories

    /// What a service may read, and who has rows there.
    static let readable = [
        "users", "voice_models", "face_models", "knowledge_documents", "events", "stream_subjects",
        "conversation_sessions", "conversation_turns", "conversation_costs", "audit_logs", "audit_chains",
        "conversation_sessions_v1", "conversation_turns_v1", "conversation_costs_v1", "audit_logs_v1",
        "audit_chains_v1",
    ]

    /// Runs a script as the service, in a transaction that acts for a user, or says for nobody.
    ///
    /// - Returns: The rows of the script's last statement, as text.
    @discardableResult
    func attempt(_ script: String, as user: Repositories?) async throws -> [[String?]] {
        try await withConnection(directory.service) { connection in
            try await connection.run(unsafeSQL: "begin")
            if let user { try await connection.run(unsafeSQL: "set local recorder.user_id = '\(user.user)'") }
            let rows = try await connection.text(unsafeSQL: script)
            try await connection.run(unsafeSQL: "rollback")
            return rows
        }
    }

    /// The error that a script of the service ends with.
    func refusal(_ script: String, as user: Repositories?) async -> PostgresError? {
        await #expect(throws: PostgresError.self, "\(script)") { try await attempt(script, as: user) }
    }

    /// All that is stored, to see whether something changed.
    func contents() async throws -> [[[String?]]] {
        var contents: [[[String?]]] = []
        for relation in Self.readable where !relation.hasSuffix("_v1") {
            contents.append(try await directory.text("select r::text from \(relation) r order by 1"))
        }
        return contents
    }
}

/// Runs a test with Ann, Bob, and their sessions, all projected.
func withIsolation(_ body: (IsolationFixture) async throws -> Void) async throws {
    try await withDirectory { fixture in
        let secret = IsolationFixture.secret
        var people: [Repositories] = []
        for (name, word) in [("ann", secret), ("bob", "drum")] {
            let person = fixture.directory.acting(
                for: ActingUser(.generate(at: .now()), metadata: EventMetadata(ipAddress: word))
            )
            var draft = User.Draft(email: "\(name)@\(word).org")
            draft.settings = .object([.init("likes", .string(word))])
            try await person.users.create(draft)
            try await person.voiceModels.create(.init(provider: .xtts, modelPath: word, isActive: true))
            try await person.faceModels.create(.init(modelPath: word, width: 1, height: 1, isActive: true))
            try await person.documents.create(.init(filename: word, textContent: "about the \(word), in pears"))
            let session = StreamID.generate(at: .now())
            let turn = StreamID.generate(at: .now())
            try await withConnection(fixture.database) { connection in
                try await connection.run(
                    unsafeSQL: """
                        set role recorder_appender;
                        select append_events('[
                            {"stream": "\(session)", "type": "session.started", "data": {"userId": "\(person.user)", "config": {"x": "\(word)"}}},
                            {"stream": "\(session)", "type": "turn.started", "data": {"turnId": "\(turn)", "turnIndex": 1}},
                            {"stream": "\(session)", "type": "turn.transcribed", "data": {"turnId": "\(turn)",
                                "userTranscript": "\(word)", "asrProvider": "\(word)", "asrCost": 0.1}},
                            {"stream": "\(session)", "type": "turn.generated", "data": {"turnId": "\(turn)",
                                "llmResponse": "\(word)", "llmProvider": "\(word)", "llmCost": 0.2}}
                        ]');
                        """
                )
            }
            people.append(person)
        }
        try await fixture.project()
        try await body(IsolationFixture(directory: fixture, ann: people[0], bob: people[1]))
    }
}
