import EventModel
import Postgres
import RecorderTesting
import Synchronization
import Testing

@testable import Directory

/// Each index is used by the query that it is for, under row-level security and with many users' rows.
@Suite struct PlanTests {
    /// A thousand users with ten documents, three voices and three faces each; the first has a thousand documents.
    private static let rows = """
        set local session_replication_role = replica;
        insert into users (id, email)
            select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user' || n || '@example.org'
            from generate_series(1, 1000) n;
        insert into voice_models (user_id, id, provider, model_path)
            select id, gen_random_uuid(), 'xtts-v2', 'v' from users, generate_series(1, 3);
        insert into face_models (user_id, id, width, height, model_path)
            select id, gen_random_uuid(), 1, 1, 'v' from users, generate_series(1, 3);
        update voice_models set is_active = true where (user_id, id) in (select user_id, max(id::text)::uuid from voice_models group by 1);
        update face_models set is_active = true where (user_id, id) in (select user_id, max(id::text)::uuid from face_models group by 1);
        insert into knowledge_documents (user_id, id, filename, content_type, text_content, status)
            select users.id, gen_random_uuid(), 'n', 'text/plain',
                'some words of text ' || n || case when n % 50 = 0 then ' needle' else '' end,
                case when n % 9 = 0 then 'failed' else 'completed' end
            from users, generate_series(1, case when email = 'user1@example.org' then 1000 else 10 end) n;
        """

    /// Every plan of one test database, by the query's name.
    @Test func `the indexes serve the queries`() async throws {
        try await withDirectory { fixture in
            try await fixture.run("begin; \(Self.rows) commit")
            try await fixture.run("vacuum analyze")
            let user = try #require(StreamID("00000000-0000-7000-8000-000000000001"))
            let plans = Plans(fixture.service, user)
            let people = Repositories(context: plans)
            let key = try #require(EntityID<KnowledgeDocument>("019cad8f-ac00-7e4e-a7b6-815d4e98868f"))

            _ = try? await people.users.find(EntityID(user.uuid))
            plans.expect("users_pkey")
            _ = try? await people.documents.find(key)
            plans.expect("knowledge_documents_pkey")
            _ = try? await people.voiceModels.find(EntityID(key.uuid))
            plans.expect("voice_models_pkey")
            _ = try? await people.faceModels.find(EntityID(key.uuid))
            plans.expect("face_models_pkey")
            _ = try? await people.documents.findMany(Query(limit: 10))
            plans.expect("Index Scan Backward using knowledge_documents_uploaded_at_idx", not: "Sort")
            let after = PageCursor(order: "-uploaded_at", values: ["2026-03-01 00:00:00+00", key.description])
            _ = try? await people.documents.findMany(Query(limit: 10, after: after))
            plans.expect("Index Cond: ((user_id = $0) AND (ROW(uploaded_at, id) < ROW(", not: "Sort")
            _ = try? await people.documents.findMany(Query(where: { $0.status == .failed }, limit: 1_000))
            plans.expect("knowledge_documents_status_idx")
            _ = try? await people.voiceModels.findMany(Query(limit: 2))
            plans.expect("Index Scan Backward using voice_models_created_at_idx", not: "Sort")
            _ = try? await people.faceModels.findMany(Query(limit: 2))
            plans.expect("Index Scan Backward using face_models_created_at_idx", not: "Sort")
            _ = try? await people.voiceModels.count(Query(where: { $0.isActive == true }))
            plans.expect("voice_models_active_key")
            _ = try? await people.faceModels.count(Query(where: { $0.isActive == true }))
            plans.expect("face_models_active_key")
            _ = try? await people.users.findMany(Query(), with: .documents, Query(limit: 5))
            plans.expect("knowledge_documents_uploaded_at_idx", not: "Seq Scan")
        }
    }

    /// The search runs inside a function, with its owner's rights: its own text is
    /// explained, with a parameter for each variable.
    @Test func `words are looked up in the index of words`() async throws {
        try await withDirectory { fixture in
            try await fixture.run("begin; \(Self.rows) commit")
            try await fixture.run("vacuum analyze")
            let plan = try await fixture.text(
                """
                set recorder.user_id = '00000000-0000-7000-8000-000000000001';
                do $do$
                declare
                    body text := substring((select prosrc from pg_proc where proname = 'search_documents') from 'return query(.*?);');
                    name text; place int;
                begin
                    for name, place in select * from unnest(array['words', 'page', 'after_rank', 'after_id', 'marks']) with ordinality loop
                        body := regexp_replace(body, '\\m' || name || '\\M', '$' || place, 'g');
                    end loop;
                    execute 'prepare search(tsquery, int, double precision, uuid, text) as ' || body;
                end $do$;
                explain (costs off) execute search('needle', 10, null, null, '')
                """
            ).compactMap { $0[0] }.joined(separator: "\n")
            #expect(plan.contains("Bitmap Index Scan on knowledge_documents_text_search_idx"), "\(plan)")
            let user = try #require(StreamID("00000000-0000-7000-8000-000000000001"))
            let found = try await fixture.directory.acting(for: user).searchDocuments("needle", limit: 100)
            #expect(found.items.count == 20)
        }
    }

    /// A foreign key whose columns no index begins with makes each delete of what it refers to read the whole table.
    @Test func `every foreign key is indexed`() async throws {
        try await withTestConnection { connection in
            let keys = try await connection.text(
                unsafeSQL: """
                    select conrelid::regclass, conname, exists (
                        select from pg_index where indrelid = conrelid and indpred is null
                            and (string_to_array(indkey::text, ' ')::int2[])[1:cardinality(conkey)] = conkey
                    ) from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace
                    """
            )
            #expect(keys.count >= 3)
            for key in keys { #expect(key[2] == "t", "\(key)") }
        }
    }
}

/// Explains statements instead of running them.
private final class Plans: RepositoryContext {
    let acting: ActingUser
    private let configuration: PostgresConfiguration
    private let last = Mutex("")

    init(_ configuration: PostgresConfiguration, _ user: StreamID) {
        self.configuration = configuration
        acting = ActingUser(user)
    }

    /// Checks the plan of the statement before.
    func expect(_ part: String, not other: String? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        let plan = last.withLock { $0 }
        #expect(plan.contains(part), "\(plan)", sourceLocation: sourceLocation)
        if let other { #expect(!plan.contains(other), "\(plan)", sourceLocation: sourceLocation) }
    }

    func rows<Row: Sendable>(_ statement: TextStatement<Row>) async throws -> [Row] {
        let acting = acting
        let lines = try await withConnection(configuration) { connection in
            let (_, lines) = try await connection.pipeline(ActFor(acting), Explain(text: statement.text))
            return lines
        }
        last.withLock { $0 = lines.joined(separator: "\n") }
        throw DirectoryError(.failed, "explained, not run")
    }

    func write<R: Sendable>(_ body: @Sendable (TransactionContext) async throws -> R) async throws -> R {
        throw DirectoryError(.failed, "nothing is written here")
    }

    func deny(_ resource: String) async throws {}

    private struct Explain: PostgresStatement {
        let text: SQLText
        var sql: String { "explain (costs off) " + text.sql }
        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try text.bind(&parameters) }
        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }
}
