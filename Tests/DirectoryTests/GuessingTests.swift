import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// Bob tries to learn from answers, errors, estimates and times what he cannot see.
@Suite struct GuessingTests {
    @Test func `another's document and none at all are refused in the same words`() async throws {
        try await withIsolation { people in
            let theirs = try #require(try await people.ann.documents.findOne(Query()))
            for id in [theirs.id, EntityID<KnowledgeDocument>.generate()] {
                func same(_ call: (EntityID<KnowledgeDocument>) async throws -> Void) async {
                    let error = await expect(.notFound) { try await call(id) }
                    #expect(
                        error?.message
                            == "document/\(id) is not there for this user: check its id, and whether it was deleted"
                    )
                    #expect(error?.cause == nil && error?.constraint == nil && error?.found == nil)
                }
                #expect(try await people.bob.documents.find(id, deleted: .included) == nil)
                await same { try await people.bob.documents.update($0, version: 1) { [$0.filename.set("mine")] } }
                await same { try await people.bob.documents.delete($0) }
                await same { try await people.bob.documents.delete($0, version: 1) }
                await same { try await people.bob.documents.restore($0) }
                await same { try await people.bob.documents.hardDelete($0) }
                await same { id in try await people.bob.transaction { try await $0.documents.hardDelete(id) } }
                #expect(
                    try await people.bob.documents.updateMany(Query(where: { $0.id == id })) {
                        [$0.filename.set("mine")]
                    } == 0
                )
                #expect(
                    try await people.bob.documents.findOne(Query(where: { $0.id == id }, deleted: .included)) == nil
                )
                #expect(try await people.bob.documents.count(Query(where: { $0.id == id }, deleted: .included)) == 0)
                #expect(try await !people.bob.documents.exists(Query(where: { $0.userID == people.ann.user })))
                #expect(
                    try await people.bob.documents.select(Query(where: { $0.id == id })) {
                        ($0.filename, $0.textContent)
                    }.items.isEmpty
                )
                #expect(
                    try await people.bob.users.findMany(
                        Query(deleted: .included),
                        with: .documents,
                        Query(where: { $0.id == id })
                    ).items[0].others.isEmpty
                )
            }
            // An id is taken among one's own rows only.
            #expect(
                try await people.bob.documents.create(.init(id: theirs.id, filename: "a", textContent: "b")).userID
                    == people.bob.user
            )
            #expect(try await people.ann.documents.find(theirs.id) == theirs)
            #expect(try await people.bob.searchDocuments(IsolationFixture.secret).items.isEmpty)
            let session = try #require(try await people.ann.sessions.findOne(Query()))
            #expect(try await people.bob.sessions.find(session.id) == nil)
            #expect(try await people.bob.turns.count(Query(where: { $0.sessionID == session.id })) == 0)
            let entry = try #require(try await people.ann.auditLog.findOne(Query()))
            #expect(try await people.bob.auditLog.find(entry.position) == nil)

            // Each of them is in Bob's audit log, whether there is such a row or not, and in nobody else's.
            try await people.directory.project()
            let denied = try await people.bob.auditLog.findMany(
                Query(where: { $0.action == "access.denied" }, limit: 100)
            ).items
            #expect(denied.count == 2 * 7 + 2)
            #expect(denied.count { $0.resource == "document/\(theirs.id)" } == 7)
            #expect(
                denied.allSatisfy { $0.result == "failure" && $0.ipAddress == "drum" && $0.userID == people.bob.user }
            )
            #expect(try await people.ann.auditLog.count(Query(where: { $0.action == "access.denied" })) == 0)
        }
    }

    @Test func `whose address it is that is taken does not show`() async throws {
        try await withIsolation { people in
            let carl = try await people.directory.register("carl")
            try await carl.users.delete(EntityID(carl.user.uuid))
            let taken = try #require(try await carl.users.findOne(Query(deleted: .only))?.email)
            var answers: Set<String> = []
            for email in ["ann@xylophone.org", "ANN@Xylophone.ORG", taken, taken.uppercased()] {
                let update = await expect(.conflict) {
                    try await people.bob.users.update(EntityID(people.bob.user.uuid), version: 1) {
                        [$0.email.set(email)]
                    }
                }
                let create = await expect(.conflict) {
                    try await people.directory.directory.acting(for: .generate(at: .now())).users.create(
                        .init(email: email)
                    )
                }
                for error in [update, create] {
                    answers.insert("\(error.map(String.init(reflecting:)) ?? "")")
                    #expect(error?.cause == nil)
                }
                let raw = await people.refusal("update users set email = '\(email)'", as: people.bob)
                #expect(raw?.detail == nil && raw?.sqlState == "23505")
                answers.insert("raw \(raw?.message ?? "") \(raw?.hint ?? "") \(raw?.context ?? "")")
            }
            #expect(answers.count == 2, "\(answers)")
        }
    }

    @Test func `a row for another is refused before anything else is looked at`() async throws {
        try await withIsolation { people in
            let nobody = StreamID.generate(at: .now())
            let document = try #require(try await people.ann.documents.findOne(Query()))
            var refusals: Set<String> = []
            for user in [people.ann.user, nobody] {
                for statement in [
                    "insert into users (id, email) values ('\(user)', 'ann@xylophone.org')",
                    "insert into users (id, email) values ('\(user)', 'free@example.org')",
                    "insert into users (id, email) values ('\(user)', 'x@y') on conflict (id) do update set settings = '{}'",
                ] {
                    let error = await people.refusal(statement, as: people.bob)
                    refusals.insert("\(error?.sqlState ?? "") \(error?.message ?? "") \(error?.detail ?? "")")
                }
            }
            #expect(refusals.count == 1, "\(refusals)")
            refusals = []
            for user in [people.ann.user, nobody] {
                for id in [document.id, .generate()] {
                    let error = await people.refusal(
                        """
                        insert into knowledge_documents (user_id, id, filename, content_type, text_content)
                        values ('\(user)', '\(id)', 'n', 'text/plain', 't') on conflict do nothing
                        """,
                        as: people.bob
                    )
                    refusals.insert("\(error?.sqlState ?? "") \(error?.message ?? "") \(error?.detail ?? "")")
                }
            }
            #expect(refusals == ["42501 new row violates row-level security policy for table \"knowledge_documents\" "])
        }
    }

    @Test func `estimates and statistics say nothing of another's rows`() async throws {
        try await withIsolation { people in
            try await people.ann.documents.createMany(
                (0..<500).map { .init(filename: "\(IsolationFixture.secret) \($0)", textContent: "t") }
            )
            try await people.directory.run("analyze")
            let pairs = [
                ("knowledge_documents where user_id = '%'", "\(people.ann.user)", "\(StreamID.generate(at: .now()))"),
                ("knowledge_documents where filename > '%'", "\(IsolationFixture.secret)", "zzz"),
                ("knowledge_documents where filename = '%'", "\(IsolationFixture.secret) 1", "nothing"),
                ("users where email = '%'", "ann@xylophone.org", "nobody@example.org"),
                ("users where lower(email) < '%'", "bzzz", "aaaa"),
                ("voice_models where model_path = '%'", IsolationFixture.secret, "nothing"),
                ("conversation_turns where user_transcript = '%'", IsolationFixture.secret, "nothing"),
                ("audit_logs where ip_address = '%'", IsolationFixture.secret, "nothing"),
                ("conversation_sessions where user_id = '%'", "\(people.ann.user)", "\(StreamID.generate(at: .now()))"),
                ("stream_subjects where subject_id = '%'", "\(people.ann.user)", "\(StreamID.generate(at: .now()))"),
            ]
            for (query, theirs, nothing) in pairs {
                func plan(_ word: String) async throws -> String {
                    let sql = "explain select * from " + query.replacing("%", with: word)
                    return "\(try await people.attempt(sql, as: people.bob))".replacing(word, with: "…")
                }
                #expect(try await plan(theirs) == plan(nothing), "\(query)")
            }
            let tables = IsolationFixture.readable.map { "'\($0)'" }.joined(separator: ", ")
            #expect(
                try await people.attempt("select count(*) from pg_stats where tablename in (\(tables))", as: people.bob)
                    == [["0"]]
            )
            #expect(await people.refusal("select * from pg_statistic", as: people.bob)?.sqlState == "42501")
            // What others' sessions are doing is told without the values that they bind.
            let activity = try await people.attempt(
                """
                select query from pg_stat_activity where datname = current_database() and query not like 'explain%'
                """,
                as: people.bob
            )
            #expect("\(activity)".contains("wake_projectors"))
            #expect(!"\(activity)".contains(IsolationFixture.secret))
        }
    }

    /// Both do the same work, so that the time tells nothing; medians of many, side by side, and ten
    /// chances, as others work on this machine.
    @Test func `another's document and none at all take the same time`() async throws {
        try await withIsolation { people in
            let theirs = try #require(try await people.ann.documents.findOne(Query())).id
            func measure(_ id: EntityID<KnowledgeDocument>) async -> Duration {
                await ContinuousClock().measure {
                    await expect(.notFound) {
                        try await people.bob.documents.update(id, version: 1) { [$0.filename.set("mine")] }
                    }
                }
            }
            var ratio = 0.0
            for _ in 0..<10 {
                var (there, nowhere): ([Duration], [Duration]) = ([], [])
                for _ in 0..<60 {
                    there.append(await measure(theirs))
                    nowhere.append(await measure(.generate()))
                }
                ratio = there.sorted()[30] / nowhere.sorted()[30]
                if (0.8...1.25).contains(ratio) { break }
            }
            #expect((0.8...1.25).contains(ratio))
        }
    }
}
