import Cache
import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Privacy

/// What happens to an erasure while others write, restore and hold.
@Suite struct ErasureRaceTests {
    /// Acts for a user in the open transaction of a connection.
    private static func acting(for user: StreamID) -> String {
        "set local role recorder_service; set local recorder.user_id = '\(user)'"
    }

    private static func document(_ user: StreamID, text: String) -> String {
        """
        insert into knowledge_documents (user_id, id, filename, content_type, text_content)
        values ('\(user)', gen_random_uuid(), 'f', 'text/plain', '\(text)');
        select append_own_events('[{"stream":"\(user)","type":"document.created","data":{"id":"\(UUID())"}}]')
        """
    }

    private static func delete(_ user: StreamID, in world: PrivacyWorld) async throws {
        try await world.run(
            """
            begin; update users set deleted_at = clock_timestamp() where id = '\(user)';
            select append_event('\(user)', 'user.deleted', '{}'); commit;
            update retention_policies set keep_for = '0' where name = 'deleted_users'
            """
        )
    }

    @Test func `a row that is being written is waited for, and a later one is refused`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await withConnection(world.database) { connection in
                try await connection.run(
                    unsafeSQL: "begin; \(Self.acting(for: ada.id)); \(Self.document(ada.id, text: "adadiary"))"
                )
                async let certificate = world.erase(ada)
                try await world.waitForBlocked()
                try await connection.run(unsafeSQL: "commit")
                let done = try JSONValue(json: Array(try await certificate.json.utf8))["done"]
                #expect(done?["knowledge_documents"]?.integer == 2)
                #expect(try await !world.shown().contains("adadiary"))

                for change in [
                    Self.document(ada.id, text: "again"),
                    "update users set deleted_at = null, settings = '{\"phone\":\"1\"}' where id = '\(ada.id)'",
                    "update knowledge_documents set text_content = 'again' where user_id = '\(ada.id)'",
                    "update voice_models set model_path = 'again' where user_id = '\(ada.id)'",
                    "update face_models set model_path = 'again' where user_id = '\(ada.id)'",
                    "insert into voice_models (user_id, id, provider, model_path) "
                        + "values ('\(ada.id)', gen_random_uuid(), 'xtts', 'again')",
                    "insert into face_models (user_id, id, model_path, width, height) "
                        + "values ('\(ada.id)', gen_random_uuid(), 'again', 64, 64)",
                ] {
                    let error = await #expect(throws: PostgresError.self) {
                        try await connection.run(unsafeSQL: "begin; \(Self.acting(for: ada.id)); \(change)")
                    }
                    #expect(error?.sqlState == "RC007")
                    try await connection.run(unsafeSQL: "rollback")
                }
            }
        }
    }

    @Test func `a user's row that is being made is waited for`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await withConnection(world.database) { connection in
                try await connection.run(
                    unsafeSQL: """
                        begin; \(Self.acting(for: ada.id));
                        insert into users (id, email) values ('\(ada.id)', '\(ada.words[4])@example.org');
                        select append_own_events('[{"stream":"\(ada.id)","type":"user.registered","data":{"id":"\(ada.id)"}}]')
                        """
                )
                async let erased = world.withErasure(of: ada.id) { try await $0.run(evenIfUnknown: true) }
                try await world.waitForBlocked()
                try await connection.run(unsafeSQL: "commit")
                let done = try JSONValue(json: Array(try await erased.json.utf8))["done"]
                #expect(done?["users"]?.integer == 1)
            }
            #expect(try await !world.shown().contains(ada.words[4]))
        }
    }

    @Test func `an erasure that was cut off is finished by the next retention run`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.project()
            let database = ["--database-url", world.database.url]
            try await withConnection(world.database) { connection in
                try await connection.run(unsafeSQL: "begin; lock table rate_limits in access exclusive mode")
                let objects = world.folder
                let erasing = try RecorderCommand(
                    ["subject", "erase", ada.id.description, "--yes", "--objects", objects] + database
                )
                try await world.waitForBlocked()
                erasing.send(SIGKILL)
                _ = await erasing.result()
                try await connection.run(unsafeSQL: "rollback")
            }
            #expect(try await world.text("select 1 from erasures where finished_at is null").count == 1)
            // Whoever began it named the place of the objects: it does not end without.
            let without = try await RecorderCommand(["retention", "run"] + database).result()
            #expect(without.status == 1 && without.errors.contains("name their place"), "\(without.errors)")
            // Whether users are erased by age is another question.
            let disabled = try await RecorderCommand(["retention", "set", "deleted_users", "--disable"] + database)
                .result()
            #expect(disabled.status == 0, "\(disabled.errors)")
            let run = try await RecorderCommand(
                ["retention", "run", "--json", "--objects", world.folder] + database
            ).result()
            #expect(run.status == 0, "\(run.errors)")
            #expect(
                run.output.contains(
                    #""policy":"deleted_users","keepFor":"30 days","enabled":false,"dryRun":false,"rows":1"#
                )
            )
            #expect(try await world.text("select 1 from erasures where finished_at is null").isEmpty)
            let shown = try await world.shown()
            for word in ada.words { #expect(!shown.contains(word), "\(word)") }
            #expect(try await world.objects.list(prefix: "users/\(ada.id)/", after: nil, limit: 10) == [])
        }
    }

    @Test func `who is restored in time is not erased, and who is not erased in time is not restored`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            #expect(try await world.withErasure(of: ada.id) { try await $0.runIfDue() } == nil)
            #expect(try await world.shown().contains(ada.words[4]))
            try await Self.delete(ada.id, in: world)
            let restore = """
                update users set deleted_at = null where id = '\(ada.id)';
                select append_own_events('[{"stream":"\(ada.id)","type":"user.restored","data":{"id":"\(ada.id)"}}]')
                """
            try await withConnection(world.database) { connection in
                // Whoever restores has the row first: the erasure looks again behind it.
                try await connection.run(unsafeSQL: "begin; \(Self.acting(for: ada.id)); \(restore)")
                async let erased = world.withErasure(of: ada.id) { try await $0.runIfDue() }
                try await world.waitForBlocked()
                try await connection.run(unsafeSQL: "commit")
                #expect(try await erased == nil)

                try await Self.delete(ada.id, in: world)
                try await connection.run(unsafeSQL: "select begin_due_erasure('\(ada.id)', 'somebody')")
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.run(unsafeSQL: "begin; \(Self.acting(for: ada.id)); \(restore)")
                }
                #expect(error?.sqlState == "RC007")
                try await connection.run(unsafeSQL: "rollback")
            }
        }
    }

    @Test func `a hold that comes in the middle stops an erasure before its next step`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.project()
            try await withConnection(world.database) { connection in
                try await connection.run(unsafeSQL: "begin; lock table rate_limits in access exclusive mode")
                async let certificate = world.erase(ada)
                try await world.waitForBlocked()
                let isUnderWay = try await world.withPool { pool in
                    try await LegalHolds(pool).hold(ada.id, reason: "a case", by: "counsel")
                }
                #expect(isUnderWay)
                try await connection.run(unsafeSQL: "rollback")
                do {
                    _ = try await certificate
                    Issue.record("the hold was passed over")
                } catch let error as PrivacyError {
                    #expect(error.code == .held)
                }
            }
            #expect(try await world.shown().contains(ada.words[0]))
            #expect(try await world.objects.list(prefix: "users/\(ada.id)/", after: nil, limit: 10).count == 1)
            let error = await #expect(throws: PostgresError.self) {
                try await world.run(
                    "begin; \(Self.acting(for: ada.id)); delete from knowledge_documents where user_id = '\(ada.id)'"
                )
            }
            #expect(error?.sqlState == "RC006")
        }
    }

    @Test func `two who erase at once get the same certificate`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await withConnection(world.database) { connection in
                try await connection.run(unsafeSQL: "begin; lock table rate_limits in access exclusive mode")
                async let first = world.erase(ada)
                async let second = world.erase(ada)
                try await world.waitForBlocked(2)
                try await connection.run(unsafeSQL: "rollback")
                let both = try await [first.json, second.json]
                #expect(both[0] == both[1])
                #expect(try await world.text("select certificate from erasures") == [[both[0]]])
            }
        }
    }

    @Test func `one who cannot be erased stops nobody else's erasure`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            for person in [ada, ben] {
                try await world.live(person)
                try await Self.delete(person.id, in: world)
            }
            let squatter = "insert into users (id, email) values ('\(UUID())', '\(ada.id)@erased.invalid')"
            let refused = await #expect(throws: PostgresError.self) { try await world.run(squatter) }
            #expect(refused?.constraint == "users_email_reserved")
            try await world.run(
                """
                alter table users drop constraint users_email_reserved; alter table users disable trigger user; \(squatter);
                alter table users enable trigger user
                """
            )
            let database = ["--database-url", world.database.url]
            let run = try await RecorderCommand(["retention", "run"] + database).result()
            #expect(run.status == 1)
            #expect(run.errors.contains("user \(ada.id) is not erased: ") && run.errors.contains("stands in its way"))
            let finished = """
                select subject_id, certificate::jsonb #> '{done,objects}' from erasures where finished_at is not null
                """
            #expect(try await world.text(finished) == [[ben.id.description, "null"]])
            #expect(run.errors.contains("so none was searched for objects of the 1 user who went"))
            #expect(try await world.text("select 1 from event_types where name = 'retention.completed'").count == 1)
        }
    }

    @Test func `what came to light after an erasure goes with the next retention run`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            _ = try await world.withErasure(of: ada.id) { try await $0.run(evenIfUnknown: true) }
            func event(_ type: EventType, _ data: String) throws -> EventDraft {
                try EventDraft(id: .generate(at: .now()), type: type, data: Array(data.utf8))
            }
            // Nobody says whose words these are, until the second append.
            try await world.append(
                ada.session,
                [try event(.turnTranscribed, #"{"turnId":"\#(UUID())","userTranscript":"\#(ada.words[0])"}"#)]
            )
            try await world.append(ada.session, [try event(.sessionStarted, #"{"userId":"\#(ada.id)"}"#)])
            try await world.project()
            #expect(try await world.shown().contains(ada.words[0]))
            let run = try await RecorderCommand(["retention", "run", "--database-url", world.database.url]).result()
            #expect(run.status == 0, "\(run.errors)")
            #expect(try await !world.shown().contains(ada.words[0]))
            #expect(try await world.text("select 1 from subject_keys where destroyed_at is null").isEmpty)
            try await world.project()
            #expect(try await world.differences() == 0)
        }
    }

    @Test func `keys destroyed before the log was sealed are none of a key-encryption key`() async throws {
        try await withTestDatabase { database in
            let world = PrivacyWorld(database: database, keys: .none, objects: .init(directory: "/tmp"))
            _ = try await world.withErasure(of: StreamID(UUID())) { try await $0.run(evenIfUnknown: true) }
            let status = try await RecorderCommand(["keys", "status", "--database-url", database.url]).result()
            #expect(status.status == 0, "\(status.errors)")
            #expect(!status.output.contains("none"))
        }
    }

    @Test func `a session, an unknown id and nobody are refused`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            let nobody = try #require(StreamID("00000000-0000-0000-0000-000000000000"))
            for (user, reason) in [
                (ada.session, "is a session of user \(ada.id)"),
                (StreamID(UUID()), "is nobody whom this recorder knows"),
                (nobody, "is nobody"),
            ] {
                let error = await #expect(throws: PrivacyError.self) {
                    try await world.withErasure(of: user) { try await $0.run() }
                }
                #expect(error?.code == .notFound)
                #expect(error?.message.contains(reason) == true)
            }
            #expect(try await world.text("select 1 from erasures").isEmpty)
        }
    }
}
