import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// The tables refuse what is wrong, whoever writes it: here the superuser.
@Suite struct ConstraintTests {
    private static let user = "019cad8f-ac00-7e4e-a7b6-815d4e98868f"

    @Test(arguments: [
        ("users", "email = 'nobody'", "users_email_form"),
        ("users", "email = 'a b@c'", "users_email_form"),
        ("users", "email = repeat('a', 260) || '@b'", "users_email_form"),
        ("users", "email = 'OTHER@example.org'", "users_email_key"),
        ("users", "personality_traits = array['calm', null]", "users_personality_traits_form"),
        ("users", "subscription_tier = 'gold'", "users_subscription_tier_known"),
        ("users", "settings = '[1]'", "users_settings_form"),
        ("users", "deleted_at = created_at - interval '1 second'", "users_times_in_order"),
        ("users", "id = gen_random_uuid()", "users_identity"),
        ("users", "created_at = now()", "users_identity"),
        ("voice_models", "provider = 'polly'", "voice_models_provider_known"),
        ("voice_models", "quality_score = 1.01", "voice_models_quality_score_range"),
        ("voice_models", "quality_score = -0.01", "voice_models_quality_score_range"),
        ("voice_models", "quality_score = 'NaN'", "voice_models_quality_score_range"),
        ("voice_models", "model_path = ''", "voice_models_model_path_form"),
        ("voice_models", "user_id = gen_random_uuid()", "voice_models_identity"),
        ("face_models", "width = 0", "face_models_resolution_range"),
        ("face_models", "height = 20000", "face_models_resolution_range"),
        ("knowledge_documents", "content_type = 'text'", "knowledge_documents_content_type_form"),
        ("knowledge_documents", "chunk_count = -1", "knowledge_documents_chunk_count_range"),
        ("knowledge_documents", "status = 'lost'", "knowledge_documents_status_transition"),
        ("knowledge_documents", "status = 'completed'", "knowledge_documents_status_transition"),
        ("knowledge_documents", "text_content = repeat('a ', 3000000)", "knowledge_documents_text_content_size"),
        ("knowledge_documents", "vector_ids = array[null]::text[]", "knowledge_documents_vector_ids_form"),
        ("knowledge_documents", "uploaded_at = now()", "knowledge_documents_identity"),
    ])
    func `a value that breaks a rule is refused by name`(table: String, change: String, constraint: String) async throws
    {
        try await withTestConnection { connection in
            try await Self.fill(connection)
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run(
                    unsafeSQL:
                        "update \(table) set \(change) where \(table == "users" ? "" : "user_")id = '\(Self.user)'"
                )
            }
            #expect(error?.constraint == constraint)
            // The values themselves are right: another change of the same row goes through.
            let changed = try await connection.text(
                unsafeSQL: "\(Self.events); update \(table) set deleted_at = null where version = 1 returning version"
            )
            #expect(changed.allSatisfy { $0 == ["2"] } && !changed.isEmpty)
        }
    }

    @Test func `two active models of one user are one too many, of two users not`() async throws {
        try await withTestConnection { connection in
            try await Self.fill(connection)
            for table in ["voice_models", "face_models"] {
                let columns = table == "voice_models" ? "provider, model_path" : "width, height, model_path"
                let values = table == "voice_models" ? "'xtts-v2', 'x'" : "1, 1, 'x'"
                func add(to user: String) async throws {
                    try await connection.run(
                        unsafeSQL: """
                            \(Self.events);
                            \(Self.events);
                            insert into \(table) (user_id, id, is_active, \(columns))
                            select id, gen_random_uuid(), true, \(values) from users where email ilike '\(user)@%'
                            """
                    )
                }
                try await add(to: "one")
                try await add(to: "other")
                let error = await #expect(throws: PostgresError.self) { try await add(to: "one") }
                #expect(error?.constraint == "\(table)_active_key")
                let deleted = await #expect(throws: PostgresError.self) {
                    try await connection.run(
                        unsafeSQL:
                            "insert into \(table) (user_id, id, is_active, deleted_at, \(columns)) values ('\(Self.user)', gen_random_uuid(), true, now() + interval '1 day', \(values))"
                    )
                }
                #expect(deleted?.constraint == "\(table)_active_is_there")
            }
        }
    }

    @Test func `a model or a document of nobody is refused, and so is a user who is nobody`() async throws {
        try await withTestConnection { connection in
            for (table, columns, values) in [
                ("voice_models", "provider, model_path", "'xtts-v2', 'x'"),
                ("face_models", "width, height, model_path", "1, 1, 'x'"),
                ("knowledge_documents", "filename, content_type, text_content", "'x', 'text/plain', 'x'"),
            ] {
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.run(
                        unsafeSQL:
                            "insert into \(table) (user_id, id, \(columns)) values (gen_random_uuid(), gen_random_uuid(), \(values))"
                    )
                }
                #expect(error?.constraint == "\(table)_user_id_fkey")
            }
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run(
                    unsafeSQL: "insert into users (id, email) values ('00000000-0000-0000-0000-000000000000', 'a@b')"
                )
            }
            #expect(error?.constraint == "users_id_is_somebody")
        }
    }

    @Test(arguments: [
        ("insert into users (id, email) values (gen_random_uuid(), 'new@example.org')", "user.registered"),
        ("update users set subscription_tier = 'pro'", "user.updated"),
        ("update knowledge_documents set status = 'processing'", "document.updated"),
        ("delete from face_models", "face_model.deleted"),
        ("update voice_models set deleted_at = clock_timestamp()", "voice_model.updated"),
    ])
    func `a change that no event tells of does not commit`(change: String, event: String) async throws {
        try await withTestConnection { connection in
            try await connection.transaction { connection in try await Self.fill(connection) }
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run(unsafeSQL: "begin; \(change); commit")
            }
            #expect(error?.sqlState == "RC005")
            #expect(error?.hint?.contains("Append \(event) to") == true, "\(error?.hint ?? "")")
            try await connection.run(unsafeSQL: "rollback")
        }
    }

    /// Two users, the first with one of everything; each row's event is there.
    private static func fill(_ connection: isolated PostgresConnection) async throws {
        try await connection.run(
            unsafeSQL: """
                insert into users (id, email, created_at, updated_at) values ('\(user)', 'One@example.org', now(), now()),
                    ('019cad8f-ac00-7e4e-a7b6-815d4e988600', 'Other@Example.org', now(), now());
                insert into voice_models (user_id, id, provider, model_path) values ('\(user)', gen_random_uuid(), 'xtts-v2', 'x');
                insert into face_models (user_id, id, width, height, model_path) values ('\(user)', gen_random_uuid(), 1, 1, 'x');
                insert into knowledge_documents (user_id, id, filename, content_type, text_content)
                    values ('\(user)', gen_random_uuid(), 'x', 'text/plain', 'x');
                \(events)
                """
        )
    }

    /// An event of every kind for every user.
    private static let events = """
        select append_event(id, noun || '.updated', '{}')
        from users, unnest(array['user', 'voice_model', 'face_model', 'document']) noun
        """
}
