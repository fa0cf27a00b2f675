import EventModel
import EventStore
import Foundation
import Postgres
import ReadModel
import RecorderTesting
import Schema
import Testing

@testable import Privacy

/// What goes by age, what stays, and what is held.
@Suite struct RetentionTests {
    private static func withRetention<R>(
        _ world: PrivacyWorld,
        batchSize: Int = 500,
        _ body: (Retention) async throws -> R
    ) async throws -> R {
        try await world.withPool { pool in
            try await world.withStore { store in
                let retention = Retention(pool, store: store, batchSize: batchSize) { user in
                    try await SubjectErasure(
                        of: user,
                        actor: "retention",
                        pool: pool,
                        store: store,
                        projections: try ProjectionFiles.all(in: .embedded),
                        objects: world.objects
                    ).runIfDue() != nil
                }
                return try await body(retention)
            }
        }
    }

    /// Makes everything that was deleted older by some days.
    private static func age(_ world: PrivacyWorld, _ table: String, days: Int) async throws {
        let created = table == "knowledge_documents" ? "uploaded_at" : "created_at"
        try await world.run(
            """
            alter table \(table) disable trigger user;
            update \(table) set \(created) = \(created) - interval '\(days) days',
                updated_at = updated_at - interval '\(days) days', deleted_at = deleted_at - interval '\(days) days';
            alter table \(table) enable trigger user
            """
        )
    }

    private static func rows(_ outcomes: [Retention.Outcome], _ subject: RetentionPolicies.Subject) -> Int? {
        outcomes.first { $0.policy.subject == subject }?.rows
    }

    /// A person whose documents and models were deleted forty days ago.
    private static func deleted(_ world: PrivacyWorld, _ person: PrivacyWorld.Person, documents: Int) async throws {
        try await world.run(
            """
            insert into users (id, email) values ('\(person.id)', '\(person.words[4])@example.org');
            insert into knowledge_documents (user_id, id, filename, content_type, text_content, deleted_at)
            select '\(person.id)', gen_random_uuid(), 'f', 'text/plain', 't', clock_timestamp() + interval '1 second'
            from generate_series(1, \(documents));
            insert into voice_models (user_id, id, provider, model_path, deleted_at)
            values ('\(person.id)', gen_random_uuid(), 'xtts-v2', 'p', clock_timestamp() + interval '1 second');
            select append_events(jsonb_build_array(
                jsonb_build_object('stream', '\(person.id)', 'type', 'user.registered'),
                jsonb_build_object('stream', '\(person.id)', 'type', 'document.created'),
                jsonb_build_object('stream', '\(person.id)', 'type', 'voice_model.created')))
            """
        )
    }

    @Test func `what was deleted long ago goes in batches with an event for each, the held stays`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            try await Self.deleted(world, ada, documents: 25)
            try await Self.deleted(world, ben, documents: 3)
            for table in ["knowledge_documents", "voice_models"] { try await Self.age(world, table, days: 40) }
            try await Self.withRetention(world, batchSize: 10) { retention in
                _ = try await world.withPool { try await LegalHolds($0).hold(ben.id, reason: "a case", by: "counsel") }
                let dry = try await retention.run(isDry: true)
                #expect(Self.rows(dry, .deletedDocuments) == 25)
                #expect(Self.rows(dry, .deletedModels) == 1)
                #expect(Self.rows(dry, .auditLogs) == nil)
                #expect(try await world.text("select count(*) from knowledge_documents") == [["28"]])

                let done = try await retention.run()
                #expect(Self.rows(done, .deletedDocuments) == 25)
                #expect(done.first { $0.policy.subject == .deletedDocuments }?.batches == 3)
                #expect(Self.rows(done, .deletedModels) == 1)
                #expect(
                    try await world.text("select distinct user_id from knowledge_documents") == [[ben.id.description]]
                )
                #expect(Self.rows(try await retention.run(), .deletedDocuments) == 0)

                let events = try await world.text(
                    """
                    select t.name, count(*) from events e join event_types t on t.id = e.type
                    where t.name ~ '(erased|held|completed)$' group by 1 order by 1
                    """
                )
                #expect(
                    events == [
                        ["document.erased", "25"], ["retention.completed", "2"], ["user.held", "1"],
                        ["voice_model.erased", "1"],
                    ]
                )
                try await world.withPool { try await LegalHolds($0).release(ben.id, by: "counsel") }
                #expect(Self.rows(try await retention.run(), .deletedDocuments) == 3)
                let error = await #expect(throws: PrivacyError.self) {
                    try await world.withPool { try await LegalHolds($0).release(ben.id, by: "counsel") }
                }
                #expect(error?.code == .notFound)
            }
        }
    }

    @Test func `who changes a policy stands in the log`() async throws {
        try await withPrivacyWorld { world in
            _ = try await world.withPool { pool in
                try await RetentionPolicies(pool).set(.auditLogs, keepFor: "7 years", isEnabled: nil, by: "officer")
            }
            let streams = try await world.text(
                "select stream_id from events e join event_types t on t.id = e.type where t.name = 'retention.changed'"
            )
            try #require(streams.count == 1)
            let stream = try #require(streams[0][0].flatMap { StreamID($0) })
            let event = try await world.withStore { try await $0.read(stream) }.first
            let json = try JSONValue(json: Array(try #require(event?.json.utf8)))
            #expect(json["metadata"]?["actor"]?.string == "officer")
            #expect(json["data"]?["policy"]?.string == "audit_logs" && json["data"]?["keepFor"]?.string == "7 years")
        }
    }

    @Test func `of expired caches a dry run counts what a real one deletes, over all tables`() async throws {
        try await withPrivacyWorld { world in
            try await world.live(PrivacyWorld.Person("ada"))
            try await world.live(PrivacyWorld.Person("ben"))
            let made = "created_at = created_at - interval '2 days', expires_at = now() - interval '1 hour'"
            try await world.run("update llm_response_cache set \(made); update vector_search_cache set \(made)")
            try await Self.withRetention(world, batchSize: 1) { retention in
                var rows: [Int?] = []
                for isDry in [true, false, false] {
                    rows.append(Self.rows(try await retention.run(isDry: isDry), .expiredCaches))
                }
                #expect(rows == [4, 4, 0])
            }
        }
    }

    @Test func `a user who was deleted long ago is erased`() async throws {
        try await withPrivacyWorld { world in
            let ada = PrivacyWorld.Person("ada")
            try await world.live(ada)
            try await world.project()
            try await world.run(
                """
                begin; update users set deleted_at = clock_timestamp();
                select append_event('\(ada.id)', 'user.deleted', '{}'); commit
                """
            )
            try await Self.age(world, "users", days: 31)
            try await Self.withRetention(world) { retention in
                var rows: [Int?] = []
                for isDry in [true, false, false] {
                    rows.append(Self.rows(try await retention.run(isDry: isDry), .deletedUsers))
                }
                #expect(rows == [1, 1, 0])
            }
            let shown = try await world.shown()
            for word in ada.words { #expect(!shown.contains(word), "\(word)") }
        }
    }

    @Test func `of old audited rows the chains still verify, and grow on`() async throws {
        try await withPrivacyWorld { world in
            let (ada, ben) = (PrivacyWorld.Person("ada"), PrivacyWorld.Person("ben"))
            try await world.live(ada)
            try await world.live(ben)
            try await world.project()
            try await Self.withRetention(world, batchSize: 2) { retention in
                _ = try await world.withPool { pool in
                    try await RetentionPolicies(pool).set(.auditLogs, keepFor: "0 days", isEnabled: true, by: "officer")
                }
                _ = try await world.withPool { try await LegalHolds($0).hold(ben.id, reason: "a case", by: "counsel") }
                let before = try await world.text("select count(*) from audit_logs where user_id = '\(ada.id)'")
                #expect(before == [["6"]])
                #expect(Self.rows(try await retention.run(isDry: true), .auditLogs) == 5)
                #expect(Self.rows(try await retention.run(), .auditLogs) == 5)
                let left = try await world.text(
                    "select count(*) filter (where user_id = '\(ada.id)'), count(*) filter (where user_id = '\(ben.id)') from audit_logs"
                )
                #expect(left == [["1", "6"]])
                let faults = try await world.withPool { try await ReadModels($0).verifyAudit() }
                #expect(faults.isEmpty)
                // What comes later is linked to what is left.
                try await world.append(
                    ada.id,
                    [
                        try EventDraft(id: .generate(at: .now()), type: .userLoggedIn, data: Array("{}".utf8))
                    ]
                )
                try await world.project()
                #expect(try await world.withPool { try await ReadModels($0).verifyAudit() }.isEmpty)
                // A row that was taken by hand is missed all the same.
                try await world.run(
                    """
                    delete from audit_logs_v1 where position = (
                        select min(position) from audit_logs_v1 where chain = '\(ada.id)')
                    """
                )
                let fault = try await world.withPool { try await ReadModels($0).verifyAudit() }
                #expect(fault.map(\.userID) == [ada.id])
            }
        }
    }

    @Test func `minutes of latencies go, hours and days stay`() async throws {
        try await withPrivacyWorld { world in
            try await world.live(PrivacyWorld.Person("ada"))
            try await world.project()
            let hours = try await world.text("select to_jsonb(h)::text from latency_metrics_hours h order by 1")
            try await Self.withRetention(world) { retention in
                for wrong in ["-1 day", "a while", "30", "1000000 years"] {
                    let error = await #expect(throws: PrivacyError.self) {
                        try await world.withPool { pool in
                            try await RetentionPolicies(pool).set(
                                .latencyMinutes,
                                keepFor: wrong,
                                isEnabled: nil,
                                by: "officer"
                            )
                        }
                    }
                    #expect(error?.code == .invalid)
                }
                try await world.run(
                    "update latency_metrics_minutes_v1 set bucket_start = bucket_start - interval '2 days'"
                )
                _ = try await world.withPool { pool in
                    try await RetentionPolicies(pool).set(
                        .latencyMinutes,
                        keepFor: "12 hours",
                        isEnabled: true,
                        by: "officer"
                    )
                }
                let rows = try #require(Self.rows(try await retention.run(isDry: true), .latencyMinutes))
                #expect(rows > 0)
                #expect(Self.rows(try await retention.run(), .latencyMinutes) == rows)
                let left = try await world.text("select 1 from latency_metrics")
                #expect(left.isEmpty)
            }
            // What is left is found without being told when it was.
            try await world.withPool { pool in
                let models = ReadModels(pool)
                for step in [Duration.seconds(3600), .seconds(86_400)] {
                    let series = try await models.latencySeries(of: .llm, step: step)
                    #expect(series.map(\.count) == [1])
                }
                #expect(try await models.latencySeries(of: .llm, step: .seconds(60)).isEmpty)
            }
            #expect(try await world.text("select to_jsonb(h)::text from latency_metrics_hours h order by 1") == hours)
        }
    }
}
