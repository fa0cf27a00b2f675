import EventModel
import Postgres
import RecorderTesting
import Synchronization
import Testing

@testable import Directory

/// Filters, orders, pages, named columns and related rows.
@Suite struct QueryTests {
    /// Documents whose chunk counts are 0 … and whose names come in pairs.
    private func documents(_ count: Int, of user: Repositories) async throws -> [KnowledgeDocument] {
        try await user.documents.createMany(
            (0..<count).map { .init(filename: "name \($0 / 2)", textContent: "text", chunkCount: $0) }
        )
    }

    @Test func `filters find what they say`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let made = try await documents(10, of: user)
            func found(_ filter: (KnowledgeDocument.Columns) -> Filter<KnowledgeDocument>) async throws -> [Int] {
                try await user.documents.findMany(Query(where: filter)).items.map(\.chunkCount).sorted()
            }
            #expect(try await found { $0.chunkCount == 3 } == [3])
            #expect(try await found { $0.chunkCount != 3 }.count == 9)
            #expect(try await found { $0.chunkCount < 2 } == [0, 1])
            #expect(try await found { $0.chunkCount <= 2 && $0.chunkCount > 0 } == [1, 2])
            #expect(try await found { $0.chunkCount >= 8 || $0.filename == "name 0" } == [0, 1, 8, 9])
            #expect(try await found { !($0.chunkCount < 8) } == [8, 9])
            #expect(try await found { !($0.chunkCount < 8 || $0.chunkCount > 8) } == [8])
            #expect(try await found { $0.chunkCount.isIn([1, 5, 77]) } == [1, 5])
            #expect(try await found { $0.chunkCount.isIn([]) } == [])
            #expect(try await found { $0.filename.hasPrefix("name 4") } == [8, 9])
            #expect(try await found { $0.filename.equalsIgnoringCase("NAME 4") } == [8, 9])
            #expect(try await found { $0.status == .pending }.count == 10)
            #expect(try await found { $0.status.isIn([.failed, .completed]) } == [])
            #expect(try await found { $0.id == made[7].id } == [7])
            #expect(try await found { $0.deletedAt.isNull() }.count == 10)
            #expect(try await found { $0.filename == "'; drop table users; --" } == [])
            #expect(try await found { $0.vectorIDs.contains("v") } == [])
            try await user.documents.update(made[4].id, version: 1) { [$0.vectorIDs.set(["u", "v"])] }
            #expect(try await found { $0.vectorIDs.contains("v") } == [4])
            #expect(try await user.documents.count(Query(where: { $0.chunkCount > 6 })) == 3)
            #expect(try await user.documents.exists(Query(where: { $0.chunkCount > 8 })))
            #expect(try await !user.documents.exists(Query(where: { $0.chunkCount > 9 })))
            let one = try await user.documents.findOne(Query(order: { $0.chunkCount.descending }))
            #expect(one?.chunkCount == 9)
            #expect(try await user.documents.findOne(Query(where: { $0.chunkCount == 10 })) == nil)
        }
    }

    @Test func `an optional column compares with values and is asked for NULL`() async throws {
        try await withDirectory { fixture in
            let voices = try await fixture.register().voiceModels
            for score in [nil, 0.25, 0.5, 1] {
                try await voices.create(.init(provider: .xtts, modelPath: "v", qualityScore: score))
            }
            #expect(try await voices.count(Query(where: { $0.qualityScore.isNull() })) == 1)
            #expect(try await voices.count(Query(where: { $0.qualityScore == 0.5 })) == 1)
            #expect(try await voices.count(Query(where: { $0.qualityScore >= 0.5 })) == 2)
            #expect(try await voices.count(Query(where: { $0.qualityScore < 0.5 })) == 1)
            #expect(try await voices.count(Query(where: { $0.qualityScore <= 0.5 })) == 2)
            #expect(try await voices.count(Query(where: { $0.qualityScore > 0.5 })) == 1)
            let half = 0.5
            #expect(try await voices.count(Query(where: { $0.qualityScore == half })) == 1)
            let none: Double? = nil
            #expect(try await voices.count(Query(where: { $0.qualityScore == nil })) == 1)
            #expect(try await voices.count(Query(where: { $0.qualityScore == none })) == 1)
            #expect(try await voices.count(Query(where: { $0.qualityScore != nil })) == 3)
            #expect(try await voices.count(Query(where: { !($0.qualityScore == nil) && $0.qualityScore < 1 })) == 2)
            #expect(try await voices.count(Query(where: { $0.qualityScore.isIn([nil]) })) == 1)
            #expect(try await voices.count(Query(where: { $0.qualityScore.isIn([0.25, nil, 1]) })) == 3)
            #expect(try await voices.count(Query(where: { !$0.qualityScore.isIn([0.25, nil]) })) == 2)
        }
    }

    @Test(arguments: [1, 3, 7, 20])
    func `pages join without gaps and doubles, in every order`(limit: Int) async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            _ = try await documents(17, of: user)
            let orders: [(KnowledgeDocument.Columns) -> Sort<KnowledgeDocument>] = [
                { $0.filename.ascending }, { $0.filename.descending }, { $0.chunkCount.ascending },
                { $0.uploadedAt.descending }, { $0.id.ascending }, { $0.version.descending },
            ]
            for order in orders {
                let whole = try await user.documents.findMany(Query(order: order, limit: 1_000))
                #expect(whole.items.count == 17 && whole.next == nil)
                var query = Query(order: order, limit: limit)
                var items: [KnowledgeDocument] = []
                var pages = 0
                repeat {
                    let page = try await user.documents.findMany(query)
                    items += page.items
                    pages += 1
                    try #require(pages <= 17, "a page came again")
                    // As text, as it comes back from a client.
                    query.after = try page.next.map { try PageCursor($0.description) }
                } while query.after != nil
                #expect(items == whole.items)
                #expect(pages == (17 + limit - 1) / limit)
            }
        }
    }

    @Test func `pages join where a database writes its times as Germans do, by the name of a zone`() async throws {
        try await withDirectory { fixture in
            for setting in ["datestyle = 'German'", "timezone = 'Asia/Kolkata'"] {
                try await fixture.run(
                    """
                    do $$ begin
                        execute format('alter database %I set ', current_database()) || $set$\(setting)$set$;
                    end $$
                    """
                )
            }
            let user = try await fixture.register()
            let made = try await documents(6, of: user)
            var query = Query<KnowledgeDocument>(order: { $0.uploadedAt.descending }, limit: 2)
            var found: [KnowledgeDocument.ID] = []
            for _ in 0..<4 {
                let page = try await user.documents.findMany(query)
                found += page.items.map(\.id)
                query.after = page.next
                if page.next == nil { break }
            }
            #expect(found.count == 6 && Set(found) == Set(made.map(\.id)))
        }
    }

    @Test func `a page is bounded, whatever is asked for`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            _ = try await documents(5, of: user)
            #expect(Query<KnowledgeDocument>(limit: 1_000_000).boundedLimit == 1_000)
            #expect(try await user.documents.findMany(Query(limit: -5)).items.count == 1)
            let drafts = (0...1_000).map { KnowledgeDocument.Draft(filename: "\($0)", textContent: "t") }
            await expect(.tooMany) { try await user.documents.createMany(drafts) }
            #expect(try await user.documents.count() == 5)
            try await user.documents.createMany(Array(drafts.prefix(1_000)))
            await expect(.tooMany) { try await user.documents.updateMany(Query()) { [$0.chunkCount.set(1)] } }
            #expect(try await user.documents.count(Query(where: { $0.version > 1 })) == 0)
            #expect(
                try await user.documents.updateMany(Query(where: { $0.filename.hasPrefix("1") })) {
                    [$0.chunkCount.set(1)]
                } == 111
            )
        }
    }

    @Test func `a directory of no connections has one`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            for connections in [0, -1] {
                let directory = UserDirectory(url: fixture.service.url, connections: connections)
                #expect(try await directory.acting(for: user.user).users.count() == 1)
                await directory.close()
            }
        }
    }

    @Test func `a cursor of another query is refused`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            _ = try await documents(5, of: user)
            let next = try #require(
                try await user.documents.findMany(Query(order: { $0.chunkCount.ascending }, limit: 2)).next
            )
            await expect(.invalidCursor) {
                try await user.documents.findMany(Query(order: { $0.chunkCount.descending }, after: next))
            }
            await expect(.invalidCursor) { try await user.documents.findMany(Query(after: next)) }
            await expect(.invalidCursor) { try await user.searchDocuments("text", after: next) }
            for text in ["", "{}", "[]", "[1]", #"["-uploaded_at"]"#, #"["-uploaded_at",1,2]"#] {
                #expect(throws: DirectoryError.self) { try PageCursor(text) }
            }
            for text in [#"["-uploaded_at","now'; --","x"]"#, #"["-uploaded_at","2026-01-01"]"#] {
                let cursor = try PageCursor(text)
                await expect(.invalidCursor) { try await user.documents.findMany(Query(after: cursor)) }
            }
        }
    }

    @Test func `named columns come alone, in pages`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            _ = try await documents(5, of: user)
            let query = Query<KnowledgeDocument>(order: { $0.chunkCount.ascending }, limit: 3)
            let page = try await user.documents.select(query) { ($0.filename, $0.chunkCount, $0.deletedAt) }
            #expect(page.items.map(\.0) == ["name 0", "name 0", "name 1"])
            #expect(page.items.map(\.1) == [0, 1, 2])
            #expect(page.items.allSatisfy { $0.2 == nil })
            var rest = query
            rest.after = page.next
            #expect(try await user.documents.select(rest) { $0.chunkCount }.items == [3, 4])
        }
    }

    @Test func `related rows come in one statement`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            _ = try await documents(9, of: user)
            let deleted = try #require(try await user.documents.findOne(Query(where: { $0.chunkCount == 8 })))
            try await user.documents.delete(deleted.id)
            let statements = Counting(user.context)
            let counted = Repositories(context: statements)
            let some = Query<KnowledgeDocument>(
                where: { $0.chunkCount > 1 },
                order: { $0.chunkCount.descending },
                limit: 4
            )
            let page = try await counted.users.findMany(Query(), with: .documents, some)
            #expect(page.items.map(\.record.stream) == [user.user])
            #expect(page.items[0].others.map(\.chunkCount) == [7, 6, 5, 4])
            #expect(try await counted.users.findMany(Query(), with: .voiceModels, Query()).items[0].others.isEmpty)
            let owners = try await counted.documents.findMany(Query(limit: 3), with: .user, Query())
            #expect(owners.items.count == 3 && owners.next != nil)
            #expect(owners.items.allSatisfy { $0.others.map(\.stream) == [user.user] })
            var rest = Query<KnowledgeDocument>(limit: 30)
            rest.after = owners.next
            #expect(try await counted.documents.findMany(rest, with: .user, Query()).items.count == 5)
            #expect(statements.count == 4)
        }
    }

    @Test func `sessions, turns and the audit log are read in the same shape`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register(from: "192.0.2.7")
            let sessions = (0..<3).map { _ in StreamID.generate(at: .now()) }
            for session in sessions {
                try await fixture.run(
                    """
                    select append_event('\(session)', 'session.started', '{"userId":"\(user.user)","llmProvider":"openai"}');
                    select append_event('\(session)', 'turn.started', jsonb_build_object('turnId', uuid_v7(), 'turnIndex', n))
                    from generate_series(1, 4) n
                    """
                )
            }
            try await fixture.project()
            #expect(try await user.sessions.count() == 3)
            let found = try #require(try await user.sessions.find(sessions[1]))
            #expect(found.userID == user.user && found.totalTurns == 4 && found.llmProvider == "openai")
            let page = try await user.sessions.findMany(Query(order: { $0.lastEventAt.ascending }, limit: 2))
            #expect(page.items.map(\.id) == Array(sessions.prefix(2)) && page.next != nil)
            let withTurns = try await user.sessions.findMany(
                Query(where: { $0.id == sessions[2] }),
                with: .turns,
                Query(limit: 3)
            )
            #expect(withTurns.items.map(\.others).first?.map(\.turnIndex) == [1, 2, 3])
            let turn = try #require(withTurns.items.first?.others.first)
            #expect(try await user.turns.find(turn.id) == turn)
            #expect(try await user.turns.count(Query(where: { $0.sessionID == sessions[0] })) == 4)
            #expect(
                try await user.turns.select(Query(limit: 1)) { ($0.status, $0.turnIndex) }.items.map(\.0) == ["started"]
            )
            let audit = try await user.auditLog.findMany()
            #expect(audit.items.map(\.action) == ["user.registered"] + sessions.map { _ in "session.started" })
            #expect(audit.items.first?.ipAddress == "192.0.2.7" && audit.items.first?.userAgent == "test/1")
            #expect(try await user.auditLog.find(audit.items[1].position) == audit.items[1])
            #expect(try await user.users.findMany(Query(), with: .sessions, Query()).items.first?.others.count == 3)
        }
    }
}

/// Counts the statements that repositories send.
private final class Counting: RepositoryContext {
    private let context: any RepositoryContext
    private let sent = Mutex(0)
    var acting: ActingUser { context.acting }
    var count: Int { sent.withLock { $0 } }

    init(_ context: any RepositoryContext) { self.context = context }

    func rows<Row: Sendable>(_ statement: TextStatement<Row>) async throws -> [Row] {
        sent.withLock { $0 += 1 }
        return try await context.rows(statement)
    }

    func write<R: Sendable>(_ body: @Sendable (TransactionContext) async throws -> R) async throws -> R {
        try await context.write(body)
    }

    func deny(_ resource: String) async throws { try await context.deny(resource) }
}
