import Postgres
import RecorderTesting
import Testing

/// Changes of the real documents drop what searches among them found.
@Suite struct DocumentTriggerTests {
    @Test(arguments: [
        "insert into knowledge_documents (user_id, id, filename, content_type, text_content) values ($u, gen_random_uuid(), 'g', 'text/plain', 't')",
        "update knowledge_documents set text_content = 'other' where user_id = $u",
        "delete from knowledge_documents where user_id = $u",
    ]) func `a change drops the searches of that user, and no other's`(change: String) async throws {
        try await withTestConnection { connection in
            let (ada, ben) = ("019cad8f-0000-7000-8000-000000000001", "019cad8f-0000-7000-8000-000000000002")
            try await connection.run(
                unsafeSQL: """
                    begin;
                    insert into users (id, email) values ('\(ada)', 'ada@example.org'), ('\(ben)', 'ben@example.org');
                    insert into knowledge_documents (user_id, id, filename, content_type, text_content)
                    select id, gen_random_uuid(), 'f', 'text/plain', 't' from users;
                    select append_events(jsonb_agg(jsonb_build_object('stream', id, 'type', type)))
                    from users cross join (values ('user.registered'), ('document.created')) as types(type);
                    commit;
                    insert into vector_search_cache
                        (user_id, key, document_ids, chunks, scores, texts, generation, expires_at)
                    select id, sha256('q'), '{}', '{}', '{}', '{}', 0, now() + interval '1 hour' from users
                    """
            )
            try await connection.run(
                unsafeSQL: """
                    begin; \(change.replacing("$u", with: "'\(ada)'"));
                    select append_event('\(ada)', 'document.updated', '{}'); commit
                    """
            )
            let left = try await connection.text(unsafeSQL: "select user_id from vector_search_cache")
            #expect(left == [[ben]])
        }
    }
}
