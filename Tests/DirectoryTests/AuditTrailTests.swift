import EventModel
import Foundation
import Postgres
import ReadModel
import RecorderTesting
import Synchronization
import Testing

@testable import Directory

/// The audit log is complete by construction: whatever repositories do, each change has its row, and its chains hold.
@Suite struct AuditTrailTests {
    /// What the audit log should say: user, action, resource, result.
    private final class Ledger: Sendable {
        private let lines = Mutex<[String]>([])
        var sorted: [String] { lines.withLock { $0.sorted() } }
        func note(_ user: Repositories, _ action: String, _ resource: String, _ result: String = "success") {
            lines.withLock { $0.append("\(user.user) \(action) \(resource) \(result)") }
        }
    }

    /// Makes random calls for a user, and notes each that should leave a row.
    private func act(_ user: Repositories, against victim: Repositories, _ ledger: Ledger) async throws {
        for _ in 0..<40 {
            let documents = try await user.documents.findMany(Query(deleted: .included, limit: 100)).items
            let document = documents.randomElement()
            switch Int.random(in: 0..<9) {
            case 0, 1:
                let made = try await user.documents.create(.init(filename: "secret name", textContent: "secret text"))
                ledger.note(user, "document.created", "document/\(made.id)")
            case 2:
                guard let document, document.deletedAt == nil else { continue }
                try await user.documents.update(document.id, version: document.version) {
                    [$0.textContent.set("secret too")]
                }
                ledger.note(user, "document.updated", "document/\(document.id)")
            case 3:
                guard let document, document.deletedAt == nil else { continue }
                try await user.documents.delete(document.id)
                ledger.note(user, "document.deleted", "document/\(document.id)")
            case 4:
                guard let document, document.deletedAt != nil else { continue }
                try await user.documents.restore(document.id)
                ledger.note(user, "document.restored", "document/\(document.id)")
            case 5:
                guard let document else { continue }
                try await user.documents.hardDelete(document.id)
                ledger.note(user, "document.erased", "document/\(document.id)")
            case 6:
                // What fails leaves nothing.
                await expect(.invalid) { try await user.documents.create(.init(filename: "", textContent: "x")) }
                if let document, document.deletedAt == nil {
                    await expect(.stale) { try await user.documents.delete(document.id, version: -1) }
                }
            case 7:
                // What is another's is refused, and noted.
                guard let other = try await victim.documents.findOne(Query()) else { continue }
                await expect(.notFound) { try await user.documents.delete(other.id) }
                ledger.note(user, "access.denied", "document/\(other.id)", "failure")
            default:
                let voice = try await user.voiceModels.create(.init(provider: .xtts, modelPath: "secret path"))
                ledger.note(user, "voice_model.created", "voice_model/\(voice.id)")
                try await user.transaction { unit in
                    let active = Query<VoiceModel>(where: { $0.isActive == true })
                    for voice in try await unit.voiceModels.findMany(active).items {
                        ledger.note(user, "voice_model.updated", "voice_model/\(voice.id)")
                    }
                    try await unit.activate(voiceModel: voice.id, version: 1)
                    ledger.note(user, "voice_model.activated", "voice_model/\(voice.id)")
                }
            }
        }
    }

    @Test func `after random calls every change has its row, and a row changed by hand is named`() async throws {
        try await withDirectory { fixture in
            let ledger = Ledger()
            let victim = try await fixture.register("victim", from: "192.0.2.66")
            ledger.note(victim, "user.registered", "user/\(victim.user)")
            let target = try await victim.documents.create(.init(filename: "secret", textContent: "secret"))
            ledger.note(victim, "document.created", "document/\(target.id)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    let user = try await fixture.register("user\(number)", from: "192.0.2.\(number)")
                    ledger.note(user, "user.registered", "user/\(user.user)")
                    group.addTask { try await act(user, against: victim, ledger) }
                }
                try await group.waitForAll()
            }
            try await fixture.project()
            let rows = try await fixture.text(
                "select concat_ws(' ', user_id, action, resource, result) from audit_logs"
            )
            #expect(rows.compactMap(\.first).compactMap(\.self).sorted() == ledger.sorted)
            let circumstances = try await fixture.text(
                "select distinct ip_address ~ '^192.0.2.', user_agent, (metadata ->> 'actor')::uuid = user_id from audit_logs"
            )
            #expect(circumstances == [["t", "test/1", "t"]])
            // Personal values stay in the tables.
            #expect(
                try await fixture.text("select count(*) from events where position('secret'::bytea in payload) > 0")
                    == [["0"]]
            )

            let models = ReadModels(url: fixture.database.url)
            #expect(try await models.verifyAudit() == [])
            try await tamper(fixture, victim.user, models)
            await models.close()
        }
    }

    @Test func `a creation that the database refuses is noted, and stores nothing`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            try await fixture.run("revoke insert on knowledge_documents from recorder_service")
            await expect(.denied) { try await user.documents.create(.init(filename: "a", textContent: "b")) }
            try await fixture.project()
            let denied = try await user.auditLog.findMany(Query(where: { $0.action == "access.denied" }))
            #expect(denied.items.map(\.resource) == ["document/new"])
            #expect(try await user.documents.count() == 0)
        }
    }

    @Test func `an event without end, stored by hand, is in the audit log and stops nobody's`() async throws {
        try await withDirectory { fixture in
            let (ada, bob) = (try await fixture.register("ada"), try await fixture.register("bob"))
            for (version, moment) in [(2, "infinity"), (3, "-infinity")] {
                try await fixture.run(
                    """
                    insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload)
                    select '\(moment)', \(version), type, encoding, stream_id, uuid_v7(), payload
                    from events where stream_id = '\(ada.user)' and version = 1
                    """
                )
            }
            try await bob.documents.create(.init(filename: "a", textContent: "b"))
            try await fixture.project()
            let rows = try await fixture.text(
                "select user_id, count(*), count(distinct hash) from audit_logs group by 1 order by 2 desc"
            )
            #expect(rows == [[ada.user.description, "3", "3"], [bob.user.description, "2", "2"]])
            let models = ReadModels(url: fixture.database.url)
            #expect(try await models.verifyAudit() == [])
            await models.close()
        }
    }

    /// Changes a row in the middle of a chain as the superuser.
    private func tamper(_ fixture: DirectoryFixture, _ victim: StreamID, _ models: ReadModels) async throws {
        let rows = try await fixture.text(
            "select chain, id, position from audit_logs_v1 where chain <> '\(victim)' order by position"
        )
        let row = rows[rows.count / 2]
        let (chain, id) = (try #require(row[0]), try #require(row[1]))
        try await fixture.run("update audit_logs_v1 set resource = resource || ' ' where id = '\(id)'")
        let faults = try await models.verifyAudit()
        #expect(faults.map(\.eventID?.description) == [id])
        #expect(faults.map(\.userID?.description) == [chain])
        #expect(faults.first?.problem == "was changed")
    }
}
