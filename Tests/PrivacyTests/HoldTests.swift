import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Privacy

/// What is under a legal hold stays as it is, whatever services do and whenever they began.
@Suite struct HoldTests {
    private static func acting(for user: StreamID) -> String {
        "set local role recorder_service; set local recorder.user_id = '\(user)'"
    }

    /// An event of each kind, so that no change is refused for want of one.
    private static func told(_ user: StreamID) -> String {
        let events = ["user.updated", "voice_model.updated", "face_model.updated", "document.updated"].map {
            #"{"stream": "\#(user)", "type": "\#($0)"}"#
        }
        return "select append_own_events('[\(events.joined(separator: ","))]')"
    }

    private static let losses = [
        "update users set email = 'nobody@example.org'", "update users set settings = '{}'",
        "update users set personality_traits = '{}'", "update voice_models set model_path = 'x'",
        "update voice_models set provider = 'openai-tts'", "update face_models set model_path = 'x'",
        "update face_models set width = 1", "update knowledge_documents set text_content = ''",
        "update knowledge_documents set filename = 'x'", "update knowledge_documents set content_type = 'text/x'",
        "delete from knowledge_documents", "delete from voice_models",
    ]

    @Test func `a service changes nothing that a held person gave, and goes on with the rest`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            for person in [ada, ben] { try await world.live(person) }
            try await world.run("select hold_user('\(ada.id)', 'a case', 'counsel')")
            try await withConnection(world.database) { connection in
                for (person, state) in [(ada, "RC006"), (ben, nil)] as [(PrivacyWorld.Person, String?)] {
                    for statement in Self.losses {
                        var found: String?
                        do {
                            try await connection.run(
                                unsafeSQL:
                                    "begin; \(Self.acting(for: person.id)); \(Self.told(person.id)); \(statement); rollback"
                            )
                        } catch let error as PostgresError {
                            found = error.sqlState
                            try await connection.run(unsafeSQL: "rollback")
                        }
                        #expect(found == state, "\(statement)")
                    }
                }
                try await connection.run(
                    unsafeSQL: """
                        begin; \(Self.acting(for: ada.id)); \(Self.told(ada.id));
                        update knowledge_documents set status = 'processing', filename = filename;
                        update knowledge_documents set status = 'completed', chunk_count = 2, vector_ids = '{a,b}';
                        update knowledge_documents set deleted_at = clock_timestamp();
                        update voice_models set is_active = true, quality_score = 0.5;
                        update users set subscription_tier = 'pro';
                        commit
                        """
                )
            }
        }
    }

    @Test func `a session, an unknown id and nobody cannot be held, and whom nobody knows only if that is wanted`()
        async throws
    {
        try await withPrivacyWorld { world in
            let (ada, stranger) = (PrivacyWorld.Person("ada"), StreamID(UUID()))
            try await world.live(ada)
            let nobody = try #require(StreamID("00000000-0000-0000-0000-000000000000"))
            try await world.withPool { pool in
                let holds = LegalHolds(pool)
                for (user, unknown, reason) in [
                    (ada.session, true, "is a session of user \(ada.id)"), (nobody, true, "is nobody"),
                    (stranger, false, "is nobody whom this recorder knows"),
                ] {
                    let error = await #expect(throws: PrivacyError.self) {
                        try await holds.hold(user, reason: "a case", by: "counsel", evenIfUnknown: unknown)
                    }
                    #expect(error?.code == .notFound && error?.message.contains(reason) == true)
                }
                #expect(try await holds.all().isEmpty)
                try await holds.hold(stranger, reason: "a case", by: "counsel", evenIfUnknown: true)
                #expect(try await holds.all().map(\.user) == [stranger])
            }
        }
    }

    @Test func `a hold waits for changes under way, and those behind it find it`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            let count = "select count(*) from knowledge_documents where user_id = '\(ada.id)'"
            try await withConnection(world.database) { service in
                try await service.run(
                    unsafeSQL:
                        "begin; \(Self.acting(for: ada.id)); \(Self.told(ada.id)); delete from knowledge_documents"
                )
                async let held: Void = world.run("select hold_user('\(ada.id)', 'a case', 'counsel')")
                try await world.waitForBlocked()
                try await service.run(unsafeSQL: "rollback")
                try await held
                #expect(try await world.text(count) == [["1"]])
            }
        }
    }

    @Test(arguments: ["erase_keys('$user')", "retain_audit_logs(10, false)"])
    func `a hold waits for keys that are destroyed and for audited rows that go`(work: String) async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await withConnection(world.database) { connection in
                let call = work.replacing("$user", with: ada.id.description)
                try await connection.run(unsafeSQL: "begin; select \(call)")
                let hold = "select hold_user('\(ada.id)', 'a case', 'counsel')"
                let error = await #expect(throws: PostgresError.self) {
                    try await world.run("set lock_timeout = '100ms'; \(hold)")
                }
                #expect(error?.isLockTimeout == true)
                try await connection.run(unsafeSQL: "rollback")
                try await world.run(hold)
            }
        }
    }

    @Test(arguments: ["read committed", "repeatable read", "serializable"])
    func `a change that waits for a hold is refused`(isolation: String) async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await withConnection(world.database) { holder in
                try await holder.run(unsafeSQL: "begin; select hold_user('\(ada.id)', 'a case', 'counsel')")
                async let change: Void = world.run(
                    """
                    begin isolation level \(isolation); \(Self.acting(for: ada.id)); select from users;
                    update knowledge_documents set text_content = ''; commit
                    """
                )
                try await world.waitForBlocked()
                try await holder.run(unsafeSQL: "commit")
                do {
                    try await change
                    Issue.record("the hold was passed over")
                } catch let error as PostgresError {
                    #expect(error.sqlState == (isolation == "read committed" ? "RC006" : "40001"))
                }
            }
            #expect(try await world.shown().contains(ada.words[8]))
            // The place of a hold that was tried is free again.
            try await world.run("select release_user('\(ada.id)', 'counsel')")
            try await world.run(
                """
                begin isolation level \(isolation); \(Self.acting(for: ada.id)); \(Self.told(ada.id));
                update knowledge_documents set text_content = ''; commit
                """
            )
            #expect(try await world.text("select count(*) from legal_holds") == [["0"]])
        }
    }
}
