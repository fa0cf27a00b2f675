import Cache
import EventModel
import EventStore
import Foundation
import Postgres
import Projector
import ReadModel
import RecorderTesting
import Schema
import Testing

@testable import Privacy

/// What an erasure takes away, and what it leaves.
@Suite struct SubjectErasureTests {
    @Test func `a person's words are gone from every table, others' and all figures stay`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            try await world.live(ada)
            try await world.live(ben)
            try await world.project()
            let (before, figures) = (try await world.shown(), try await world.figures())
            // The query is shown nowhere, and the object is a file.
            for word in ada.words where !word.hasSuffix("query") && !word.hasSuffix("object") {
                #expect(before.contains(word), "\(word)")
            }

            let certificate = try JSONValue(json: Array(try await world.erase(ada).json.utf8))
            let after = try await world.shown()
            for word in ada.words { #expect(!after.contains(word), "\(word)") }
            for word in ben.words where before.contains(word) { #expect(after.contains(word), "\(word)") }
            #expect(try await world.figures() == figures)
            #expect(try await world.objects.list(prefix: "users/\(ada.id)/", after: nil, limit: 10) == [])
            #expect(try await world.objects.list(prefix: "users/\(ben.id)/", after: nil, limit: 10).count == 1)

            #expect(certificate["subject"]?.string == ada.id.description)
            #expect(certificate["streams"]?.integer == 2)
            #expect(certificate["unsealedEvents"]?.integer == 0)
            #expect(certificate["readableEvents"]?.integer == 0)
            let done = certificate["done"]
            // Of the two cached rows, the search went with the document that it had found.
            for (name, count) in [
                ("keys", 1), ("users", 1), ("voice_models", 1), ("face_models", 1), ("knowledge_documents", 1),
                ("cache_rows", 1), ("objects", 1), ("events_appended", 4),
            ] {
                #expect(done?[name]?.integer == count, "\(name)")
            }
            #expect(certificate["auditHeadBefore"]?.string != certificate["auditHeadAfter"]?.string)
        }
    }

    @Test func `objects below an id in capitals go, too`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            for person in [ada, ben] {
                try await world.live(person)
                // As Foundation writes a UUID into a text.
                try await world.objects.put(ObjectName("users/\(person.id.uuid)/voice.bin"), bytes: [1])
            }
            let certificate = try JSONValue(json: Array(try await world.erase(ada).json.utf8))
            #expect(certificate["done"]?["objects"]?.integer == 2)
            let left = try await world.objects.list(prefix: "", after: nil, limit: 10)
            #expect(left.count == 2 && left.allSatisfy { $0.description.lowercased().contains(ben.id.description) })
        }
    }

    @Test func `the read models are what a rebuild of the erased log gives, and the audit log's chains hold`()
        async throws
    {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            try await world.live(ada)
            try await world.live(ben)
            try await world.project()
            _ = try await world.erase(ada)
            let faults = try await world.withPool { try await ReadModels($0).verifyAudit() }
            #expect(faults.isEmpty)
            #expect(try await world.differences() == 0)
            // What the erasure told is audited as well.
            try await world.project()
            #expect(try await world.differences() == 0)
            #expect(try await world.withPool { try await ReadModels($0).verifyAudit() }.isEmpty)
            let actions = try await world.text(
                "select action from audit_logs where user_id = '\(ada.id)' and action like '%.erased' order by 1"
            )
            #expect(actions == [["document.erased"], ["face_model.erased"], ["user.erased"], ["voice_model.erased"]])
        }
    }

    @Test func `a replay says erased, and what comes later is dropped`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            _ = try await world.erase(ada)
            let late = try EventDraft(
                id: .generate(at: .now()),
                type: .turnTranscribed,
                data: Array(#"{"turnId":"\#(UUID())","userTranscript":"adalate"}"#.utf8)
            )
            try await world.append(ada.session, [late])
            try await world.project()
            let events = try await world.withStore { try await $0.read(ada.session) }
            var replay = SessionReplay(session: ada.session)
            let frames = events.map { replay.apply($0) }
            let said = frames.filter { $0.speaker == .user && $0.type == .turnTranscribed }.map(\.text)
            #expect(said == ["erased", "erased"])
            #expect(frames.last?.erased == ["data.userTranscript"])
            #expect(replay.snapshot.turns.first?.llmResponse == "erased")
            #expect(try await world.shown().contains("adalate") == false)
            #expect(try await world.differences() == 0)
        }
    }

    @Test func `erasing again does no harm, and tells again`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.project()
            _ = try await world.erase(ada)
            let again = try JSONValue(json: Array(try await world.erase(ada).json.utf8))
            #expect(again["done"]?["keys"]?.integer == 0)
            #expect(again["done"]?["users"]?.integer == 0)
            #expect(again["done"]?["events_appended"]?.integer == 1)
            try await world.project()
            #expect(try await world.differences() == 0)
            let kept = try await world.text("select count(*), count(certificate) from erasures")
            #expect(kept == [["2", "2"]])
        }
    }

    @Test func `what is being built beside the live tables is blanked too`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.project()
            // A rebuild that differs from the live model stays where it is.
            try await world.run("update conversation_turns_v1 set model = 'another'")
            let rebuild = try RebuildGroup(
                [("conversation_turns", nil)],
                among: try ProjectionFiles.all(in: .embedded),
                configuration: world.database,
                options: RebuildOptions(keys: world.keys)
            )
            let error = await #expect(throws: ProjectorError.self) { try await rebuild.run()[0].outcome.get() }
            #expect(error?.code == .modelsDiffer)
            let words = "select user_transcript from recorder_rebuild_conversation_turns_v1.conversation_turns_v1"
            #expect(try await world.text(words) == [[ada.words[0]]])
            _ = try await world.erase(ada)
            #expect(try await world.text(words) == [[nil]])
            try await world.run("update conversation_turns_v1 set model = null")
            _ = try await rebuild.run()[0].outcome.get()
            #expect(try await world.differences() == 0)
        }
    }

    @Test func `a user under a legal hold is refused before anything changes`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.project()
            try await world.run(
                "insert into legal_holds (user_id, reason, held_by) values ('\(ada.id)', 'a case', 'counsel')"
            )
            let shown = try await world.shown()
            let error = await #expect(throws: PrivacyError.self) { try await world.erase(ada) }
            #expect(error?.code == .held)
            #expect(try await world.shown() == shown)
            #expect(try await world.text("select 1 from erasures") == [])
            try await world.run("delete from legal_holds")
            _ = try await world.erase(ada)
        }
    }

    @Test func `events from before the log was sealed are counted, not passed over`() async throws {
        try await withTestDatabase { database in
            let person = PrivacyWorld.Person("ada")
            let world = PrivacyWorld(
                database: database,
                keys: .none,
                objects: .init(directory: FileManager.default.temporaryDirectory.path())
            )
            let turn = try EventDraft(
                id: .generate(at: .now()),
                type: .turnTranscribed,
                data: Array(#"{"userTranscript":"in the clear"}"#.utf8)
            )
            try await world.append(person.id, [turn])
            #expect(try await world.erase(person).remaining == 1)
        }
    }

    /// A batch whose snapshot is older than the erasure and which has opened what the destroyed key sealed: it must not
    /// write it after it was blanked.
    @Test func `a batch that was opened before the erasure writes nothing of it after it`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            // The projector has its checkpoints, and everything but the conversation's last words.
            try await world.project()
            let turn = UUID().uuidString
            try await world.append(
                ada.session,
                try [
                    EventDraft(
                        id: .generate(at: .now()),
                        type: .turnTranscribed,
                        data: Array(#"{"turnId":"\#(turn)","userTranscript":"adasecret"}"#.utf8)
                    )
                ]
            )
            try await withConnection(world.database) { connection in
                // The projector takes its snapshot, then waits here for the keys.
                try await connection.run(unsafeSQL: "begin; lock table subject_keys in access exclusive mode")
                let projecting = Task { try await world.project() }
                try await world.waitForBlocked()
                try await connection.run(unsafeSQL: "select erase_keys('\(ada.id)'); commit")
                try await projecting.value
            }
            let rows = try await world.text("select user_transcript from conversation_turns where turn_id = '\(turn)'")
            #expect(rows == [[nil]])
            _ = try await world.erase(ada)
            #expect(try await world.differences() == 0)
        }
    }

    @Test func `an erasure that has begun knows that it is to remove objects, or has not begun`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.run(
                """
                create function refuse() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$;
                create trigger refuse before update on erasures for each row execute function refuse()
                """
            )
            await #expect(throws: PrivacyError.self) { try await world.erase(ada) }
            #expect(try await world.text("select 1 from erasures").isEmpty)
        }
    }

    @Test func `killed between any two steps, an erasure is finished by the next run`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.project()
            let command = ["subject", "erase", ada.id.description, "--yes", "--database-url", world.database.url]
            // Each of these holds a step up: the ones before it are done then.
            for table in ["users", "rate_limits", "audit_chains_v1", "projection_quarantine"] {
                try await withConnection(world.database) { connection in
                    try await connection.run(unsafeSQL: "begin; lock table \(table) in access exclusive mode")
                    let erasing = try RecorderCommand(command)
                    try await world.waitForBlocked()
                    erasing.send(SIGKILL)
                    #expect(await erasing.result().status == -SIGKILL)
                    try await connection.run(unsafeSQL: "rollback")
                }
            }
            let result = try await RecorderCommand(command).result()
            #expect(result.status == 0, "\(result.errors)")
            let certificate = try JSONValue(json: Array(result.output.utf8))
            #expect(certificate["done"]?["keys"]?.integer == 1)
            #expect(certificate["done"]?["events_appended"]?.integer == 4)
            let after = try await world.shown()
            for word in ada.words { #expect(!after.contains(word), "\(word)") }
            try await world.project()
            #expect(try await world.differences() == 0)
            #expect(try await world.withPool { try await ReadModels($0).verifyAudit() }.isEmpty)
        }
    }
}
