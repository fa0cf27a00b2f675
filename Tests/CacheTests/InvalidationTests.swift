import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Cache

/// What has changed is not served any more: in the table, and in the memory of every process.
@Suite(.timeLimit(.minutes(5))) struct InvalidationTests {
    private struct Broken: Error {}

    /// Has both processes hold a user's result in memory.
    private static func fill(_ processes: [Caches], _ user: UUID, _ text: String = "old") async throws {
        for caches in processes { _ = try await caches.matches(of: .of(user)) { [.of(text)] } }
        for caches in processes {
            let held = try await caches.matches(of: .of(user)) { throw Broken() }
            #expect(held.map(\.text) == [text])
        }
    }

    /// What a search finds now.
    private static func found(_ caches: Caches, _ user: UUID, else text: String) async throws -> String? {
        try await caches.matches(of: .of(user)) { [.of(text)] }.first?.text
    }

    @Test(arguments: [
        "insert into watched_documents values ('$user', 'new')",
        "update watched_documents set title = 'changed' where user_id = '$user'",
        "delete from watched_documents where user_id = '$user'",
        "update watched_documents set user_id = gen_random_uuid() where user_id = '$user'",
    ])
    func `a change of documents drops that user's results everywhere, and nobody else's`(change: String) async throws {
        try await withCaches { configuration, one, other in
            try await watchDocuments(configuration)
            let (ann, bob) = (UUID(), UUID())
            try await sql(configuration, "insert into watched_documents values ('\(ann)', 'a'), ('\(bob)', 'b')")
            for caches in [one, other] { try await caches.catchUp() }
            try await Self.fill([one, other], ann)
            try await Self.fill([one, other], bob)
            _ = try await one.response(to: .of(ann)) { LLMResponse(text: "kept") }

            try await sql(configuration, change.replacing("$user", with: "\(ann)"))
            for caches in [one, other] { try await caches.catchUp() }
            #expect(try await Self.found(one, ann, else: "new") == "new")
            #expect(try await Self.found(other, ann, else: "unused") == "new")
            for caches in [one, other] { #expect(try await Self.found(caches, bob, else: "unused") == "old") }
            #expect(try await one.response(to: .of(ann)) { throw Broken() }.text == "kept")
        }
    }

    @Test func `a document that goes to another user drops the results of both`() async throws {
        try await withCaches { configuration, one, _ in
            try await watchDocuments(configuration)
            let (ann, bob) = (UUID(), UUID())
            try await sql(configuration, "insert into watched_documents values ('\(ann)', 'a')")
            try await one.catchUp()
            for user in [ann, bob] { try await Self.fill([one], user) }
            try await sql(configuration, "update watched_documents set user_id = '\(bob)' where user_id = '\(ann)'")
            try await one.catchUp()
            for user in [ann, bob] { #expect(try await Self.found(one, user, else: "new") == "new") }
        }
    }

    @Test func `a generation is not swept while a value is there, however old it is`() async throws {
        try await withCaches { configuration, one, other in
            let ann = UUID()
            try await sql(configuration, "select clear_cache('vector_search', '\(ann)'), clear_cache('embedding')")
            for caches in [one, other] { try await caches.catchUp() }
            _ = try await one.matches(of: .of(ann, "current")) { [.of("current")] }
            _ = try await one.matches(of: .of(ann, "stale")) { [.of("stale")] }
            _ = try await one.embedding(of: "current", model: "m") { [1] }
            // A value that was computed before the change, and stored behind it.
            try await sql(
                configuration,
                """
                update vector_search_cache set generation = 0, expires_at = now() + interval '7 days' where texts = '{stale}';
                update cache_generations set changed_at = now() - interval '2 days'
                """
            )
            let administration = CacheAdministration(one.pool)
            _ = try await administration.sweep()
            let found = try await other.matches(of: .of(ann, "stale")) { [.of("new")] }
            #expect(found.map(\.text) == ["new"])
            #expect(try await other.matches(of: .of(ann, "current")) { throw Broken() }.first?.text == "current")
            #expect(try await other.embedding(of: "current", model: "m") { throw Broken() } == [1])
            let left = "select count(*) from cache_generations"
            #expect(try await sql(configuration, left) == [["2"]])
            try await sql(configuration, "delete from vector_search_cache; delete from embedding_cache")
            _ = try await administration.sweep()
            #expect(try await sql(configuration, left) == [["0"]])
        }
    }

    @Test func `a change that is rolled back drops nothing`() async throws {
        try await withCaches { configuration, one, other in
            try await watchDocuments(configuration)
            let ann = UUID()
            try await Self.fill([one, other], ann)
            try await sql(configuration, "begin; insert into watched_documents values ('\(ann)', 'a'); rollback")
            for caches in [one, other] {
                try await caches.catchUp()
                #expect(caches.figures[1].entries == 1)
                #expect(try await Self.found(caches, ann, else: "unused") == "old")
            }
        }
    }

    @Test func `what was computed from documents that changed meanwhile is never served`() async throws {
        try await withCaches { configuration, one, other in
            try await watchDocuments(configuration)
            let (ann, gate) = (UUID(), Gate())
            let slow = Task {
                try await one.matches(of: .of(ann)) {
                    try await gate.pass()
                    return [.of("from old documents")]
                }
            }
            await gate.waitForArrival()
            try await sql(configuration, "insert into watched_documents values ('\(ann)', 'a')")
            gate.open()
            #expect(try await slow.value.first?.text == "from old documents")
            // Even now that it has stored its result; with and without having heard of the change.
            #expect(try await Self.found(other, ann, else: "new") == "new")
            try await one.catchUp()
            #expect(try await Self.found(one, ann, else: "unused") == "new")
        }
    }

    @Test func `a result that was in flight when its transaction's change committed is never served later`()
        async throws
    {
        try await withCaches { configuration, one, other in
            try await watchDocuments(configuration)
            let ann = UUID()
            // Searches and changes race; after the last change both processes must find what it left.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caches in [one, other, one, other] {
                    group.addTask {
                        for _ in 0..<40 {
                            _ = try await caches.matches(of: .of(ann)) {
                                let rows = try await sql(configuration, "select count(*) from watched_documents")
                                return [.of(rows[0][0] ?? "")]
                            }
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<30 {
                        try await sql(configuration, "insert into watched_documents values ('\(ann)', 'a')")
                    }
                }
                try await group.waitForAll()
            }
            for caches in [one, other] {
                try await caches.catchUp()
                #expect(try await Self.found(caches, ann, else: "30") == "30")
            }
        }
    }

    @Test func `what changed while a process was cut off is not served when it is back`() async throws {
        try await withCaches(logger: TestServer.silent) { configuration, one, other in
            try await watchDocuments(configuration)
            let ann = UUID()
            try await Self.fill([one, other], ann)
            // The change and the cut are one transaction: no notification of it reaches the listeners.
            _ = try await sql(
                configuration,
                """
                begin;
                do $$ begin
                    assert (
                        select count(*) filter (where pg_terminate_backend(pid, 60000)) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen %'
                    ) = 2, 'not both listeners were cut off';
                end $$;
                insert into watched_documents values ('\(ann)', 'a');
                commit
                """
            )
            for caches in [one, other] {
                try await caches.waitUntilHearing()
                try await caches.catchUp()
                #expect(try await Self.found(caches, ann, else: "new") == "new")
            }
        }
    }

    @Test func `a process that cannot listen keeps nothing of users in memory, and is right by the table`() async throws
    {
        try await withTestDatabase { configuration in
            try await watchDocuments(configuration)
            let caches = try Caches(configuration, options: .patient, logger: TestServer.logger)
            let ann = UUID()
            #expect(try await Self.found(caches, ann, else: "old") == "old")
            #expect(try await Self.found(caches, ann, else: "unused") == "old")
            #expect(caches.figures[1].entries == 0)
            #expect(caches.figures[1].tableHits == 1)
            try await sql(configuration, "insert into watched_documents values ('\(ann)', 'a')")
            #expect(try await Self.found(caches, ann, else: "new") == "new")
            await caches.close()
        }
    }

    @Test func `silence is told from a dead connection`() async throws {
        // The process hears itself again and again, and nothing is dropped.
        try await withCaches(CacheOptions(checkInterval: .milliseconds(500))) { configuration, one, other in
            let ann = UUID()
            try await Self.fill([one, other], ann)
            var checks = 0
            for try await heard in PostgresNotifications(configuration, channels: ["recorder_cache"]) {
                guard case .received(_, let payload) = heard else { continue }
                #expect(payload.hasPrefix("check "))
                checks += 1
                if checks == 4 { break }
            }
            #expect(one.figures[1].entries == 1)
            #expect(try await Self.found(other, ann, else: "unused") == "old")
        }
    }

    @Test func `a listener whose server process does not answer is replaced, and what changed is not served`()
        async throws
    {
        try await withCaches(
            CacheOptions(checkInterval: .milliseconds(300)),
            logger: TestServer.silent
        ) { configuration, one, other in
            try await watchDocuments(configuration)
            let ann = UUID()
            try await Self.fill([one, other], ann)
            let listeners = try await sql(
                configuration,
                "select pid from pg_stat_activity where datname = current_database() and query ilike 'listen %'"
            ).compactMap { $0[0].flatMap { pid_t($0) } }
            #expect(listeners.count == 2)
            // Alive as far as the network can tell, and silent.
            for listener in listeners { kill(listener, SIGSTOP) }
            defer { for listener in listeners { kill(listener, SIGCONT) } }
            try await sql(configuration, "insert into watched_documents values ('\(ann)', 'a')")
            for caches in [one, other] {
                try await eventually("what changed is not served") {
                    try await Self.found(caches, ann, else: "new") == "new"
                }
            }
        }
    }

    @Test func `clearing by hand reaches every process: a kind, a user, everything`() async throws {
        try await withCaches { configuration, one, other in
            let (ann, bob) = (UUID(), UUID())
            let administration = CacheAdministration(one.pool)
            func fill() async throws {
                for caches in [one, other] {
                    _ = try await caches.embedding(of: "a", model: "m") { [1] }
                    for user in [ann, bob] {
                        _ = try await caches.matches(of: .of(user)) { [] }
                        _ = try await caches.response(to: .of(user)) { LLMResponse(text: "") }
                    }
                }
            }
            func entries() async throws -> [[Int]] {
                for caches in [one, other] { try await caches.catchUp() }
                return [one, other].map { $0.figures.map(\.entries) }
            }
            for (kind, user, left) in [
                (CacheKind.embedding, nil, [0, 2, 2]), (.vectorSearch, nil, [1, 0, 2]), (.llmResponse, ann, [1, 2, 1]),
                (nil, bob, [1, 1, 1]), (nil, nil, [0, 0, 0]),
            ] as [(CacheKind?, UUID?, [Int])] {
                try await fill()
                let before = try await administration.tables().map(\.rows)
                #expect(before == [1, 2, 2])
                let cleared = try await administration.clear(kind: kind, user: user)
                #expect(try await entries() == [left, left])
                let after = try await administration.tables().map(\.rows)
                #expect(after == left)
                #expect(cleared.reduce(0) { $0 + $1.rows } == before.reduce(0, +) - after.reduce(0, +))
            }
            let error = await #expect(throws: CacheError.self) {
                try await administration.clear(kind: .embedding, user: ann)
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func `an unknown message drops everything, to be on the safe side`() async throws {
        #expect(CacheChannel.read("vector_search *") == .dropped(.vectorSearch, user: nil))
        let user = UUID()
        #expect(CacheChannel.read("* \(user)") == .dropped(nil, user: user))
        for text in ["", "vector_search", "other *", "* x", "embedding * *"] {
            #expect(CacheChannel.read(text) == .unknown)
        }
        try await withCaches { configuration, one, _ in
            _ = try await one.embedding(of: "a", model: "m") { [1] }
            try await sql(configuration, "notify recorder_cache, 'of a later version'")
            try await one.catchUp()
            #expect(one.figures[0].entries == 0)
        }
    }
}
