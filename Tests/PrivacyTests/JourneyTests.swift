import Cache
import Directory
import EventModel
import EventStore
import Foundation
import Postgres
import ReadModel
import RecorderTesting
import Testing

@testable import Privacy

/// One user, from the first day to the last: the whole of the data layer in one story.
@Suite struct JourneyTests {
    private static func faults(_ world: PrivacyWorld) async throws -> [AuditFault] {
        try await world.withPool { try await ReadModels($0).verifyAudit() }
    }

    @Test func `a user talks, searches, is limited, exports and is erased, and the audit log tells it all`()
        async throws
    {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            // She registers, with a voice and a document, and talks in a recorded session; so does another.
            try await world.live(ada)
            try await world.live(ben)
            try await world.project()

            // She searches, and finds her own.
            try await world.withPool { pool in
                let own = UserDirectory(pool, keys: world.keys).acting(for: ada.id)
                let hits = try await own.searchDocuments(ada.words[8])
                #expect(hits.items.count == 1)
                let others = try await own.searchDocuments(ben.words[8])
                #expect(others.items.isEmpty)

                // She asks too often.
                let limiter = RateLimiter(pool)
                let limit = RateLimit(capacity: 2, refillPerSecond: 0.001)
                var decisions: [Bool] = []
                for _ in 0..<4 {
                    decisions.append(
                        try await limiter.take(user: ada.id.uuid, endpoint: "search", limit: limit).isAllowed
                    )
                }
                #expect(decisions == [true, true, false, false])
            }
            #expect(try await Self.faults(world).isEmpty)

            // She asks what is held about her.
            let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-journey-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let manifest = try await world.withPool { pool in
                try await world.withStore { store in
                    let export = SubjectExport(
                        of: ada.id,
                        actor: "officer",
                        pool: pool,
                        store: store,
                        objects: world.objects
                    )
                    return try await export.write(to: folder.path(percentEncoded: false))
                }
            }
            #expect(manifest.entries.first { $0.file == "rate_limits.jsonl" }?.rows == 1)
            #expect(manifest.entries.contains { $0.file == "objects/voice.bin" })

            // She asks to be forgotten.
            let figures = try await world.figures()
            let certificate = try await world.erase(ada)
            #expect(certificate.remaining == 0)
            let kept = try await world.text("select certificate from erasures where subject_id = '\(ada.id)'")
            #expect(kept == [[certificate.json]])
            #expect(try await world.figures() == figures)
            try await world.project()
            let shown = try await world.shown()
            for word in ada.words { #expect(!shown.contains(word), "\(word)") }
            #expect(try await world.text("select 1 from rate_limits where user_id = '\(ada.id)'").isEmpty)
            #expect(try await Self.faults(world).isEmpty)
            let story = try await world.text(
                "select action from audit_logs where user_id = '\(ada.id)' order by position"
            )
            #expect(
                story.compactMap { $0[0] } == [
                    "user.registered", "voice_model.created", "face_model.created", "document.created",
                    "session.started",
                    "session.ended", "access.exported", "user.erased", "voice_model.erased", "face_model.erased",
                    "document.erased",
                ]
            )

            // Who changes a row by hand is found out, and the row is named.
            let row = try await world.text(
                "select id from audit_logs where user_id = '\(ada.id)' and action = 'access.exported'"
            )
            try await world.run("update audit_logs_v1 set result = 'failure' where id = '\(row[0][0] ?? "")'")
            let faults = try await Self.faults(world)
            #expect(faults.map(\.eventID?.description) == row.map { $0[0] })
            #expect(faults.map(\.userID) == [ada.id])
        }
    }
}
