package import Cache
package import EventModel
package import EventStore
internal import Foundation
package import Postgres
internal import Schema

/// Writes everything that is held about a person into a folder: lines of JSON, the objects as they are, and a manifest.
///
/// The tables' rows come from one snapshot; events are read after them. The export is recorded as an event in the
/// person's stream, `access.exported`.
package struct SubjectExport: Sendable {
    private let subject: StreamID
    private let actor: String
    private let pool: PostgresPool
    private let store: PostgresEventStore
    private let objects: (any ObjectStore)?

    /// - Parameters:
    ///   - subject: The user.
    ///   - actor: Who exports.
    ///   - pool: Connections of a role that is a member of `recorder_owner`.
    ///   - store: The log, with the keys.
    ///   - objects: The store of the user's objects, if there is one.
    package init(
        of subject: StreamID,
        actor: String,
        pool: PostgresPool,
        store: PostgresEventStore,
        objects: (any ObjectStore)? = nil
    ) {
        self.subject = subject
        self.actor = actor
        self.pool = pool
        self.store = store
        self.objects = objects
    }

    /// The tables that are exported, each to a file of its name, with a query for a JSON object of each row. `$1` is
    /// the person.
    private static let tables: [(name: String, rows: String)] = [
        ("users", "select to_jsonb(t) from users t where id = $1"),
        (
            "voice_models",
            "select to_jsonb(t) from voice_models t where user_id = $1 order by created_at, id"
        ),
        (
            "face_models",
            "select to_jsonb(t) from face_models t where user_id = $1 order by created_at, id"
        ),
        (
            "knowledge_documents",
            "select to_jsonb(t) - 'text_search' from knowledge_documents t where user_id = $1 order by uploaded_at, id"
        ),
        (
            "conversation_sessions",
            "select to_jsonb(t) from conversation_sessions t where id in (select subject_streams($1)) order by id"
        ),
        (
            "conversation_turns",
            """
            select to_jsonb(t) from conversation_turns t where session_id in (select subject_streams($1))
            order by session_id, started_at, turn_id
            """
        ),
        (
            "conversation_costs",
            "select to_jsonb(t) from conversation_costs t where session_id in (select subject_streams($1)) order by session_id"
        ),
        (
            "audit_logs",
            "select to_jsonb(t) - 'chain' from audit_logs t where chain = $1 and user_id = $1 order by position"
        ),
        (
            "llm_response_cache",
            "select to_jsonb(t) from llm_response_cache t where user_id = $1 order by created_at, key"
        ),
        (
            "vector_search_cache",
            "select to_jsonb(t) from vector_search_cache t where user_id = $1 order by created_at, key"
        ),
        ("rate_limits", "select to_jsonb(t) from rate_limits t where user_id = $1 order by endpoint"),
        ("legal_holds", "select to_jsonb(t) from legal_holds t where user_id = $1"),
        ("erasures", "select to_jsonb(t) from erasures t where subject_id = $1 order by id"),
    ]

    /// Writes the folder.
    ///
    /// The folder appears when it is complete. Until then it is written beside that place, under a unique name that
    /// ends in `.partial`, and it is removed if the export fails.
    ///
    /// - Parameter folder: Must not exist.
    /// - Returns: The manifest.
    /// - Throws: ``PrivacyError`` with `.notFound` if the id is nobody's or a session's; `.file`; `.failed`;
    ///   `EventStoreError` with `.keyUnavailable` if events are sealed and their key is missing; `CacheError`.
    @discardableResult
    package func write(to folder: String) async throws -> ExportManifest {
        let folder = SQLFiles.bare(folder)
        guard !folder.isEmpty else { throw PrivacyError(.invalid, "an export needs a folder of its own: name one") }
        let partial = "\(folder).\(UUID().uuidString.prefix(8)).partial"
        guard !FileManager.default.fileExists(atPath: folder) else {
            throw PrivacyError(.file, "\(folder) is there already: name another folder, or remove it")
        }
        var isComplete = false
        defer { if !isComplete { try? FileManager.default.removeItem(atPath: partial) } }
        do {
            _ = try await pool.query(RefuseNobody(subject: subject))
            try FileManager.default.createDirectory(
                atPath: partial,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            var manifest = ExportManifest(subject: subject, actor: actor, exportedAt: .now())
            try await writeTables(to: partial, &manifest)
            try await writeEvents(to: partial, &manifest)
            try await writeObjects(to: partial, &manifest)
            var file = try ExportFile("manifest.json", in: partial)
            try file.write(line: Array(manifest.json.utf8))
            _ = try file.finish()
            // No export is handed out without an event that records it.
            try await appendEvent()
            try FileManager.default.moveItem(atPath: partial, toPath: folder)
            isComplete = true
            return manifest
        } catch let error as PostgresError {
            let reason =
                error.isPermissionDenied
                ? "\(subject) cannot be exported by this login: take one that is a member of recorder_owner"
                : "the export was cut off: run it again"
            throw PrivacyError(error, reason, undone: "nothing was written")
        } catch  where (error as NSError).domain == NSCocoaErrorDomain {
            throw PrivacyError(.file, "\(folder) cannot be written: \(error.fileReason)")
        }
    }

    private func writeTables(to folder: String, _ manifest: inout ExportManifest) async throws {
        let entries = try await pool.withConnection { connection in
            try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
                var entries: [ExportManifest.Entry] = []
                for (name, rows) in Self.tables {
                    // A projection that is not installed holds nothing.
                    guard try await connection.first(Exists(relation: name)) == true else { continue }
                    var file = try ExportFile("\(name).jsonl", in: folder)
                    _ = try await connection.first(OpenCursor(subject: subject, rows: rows))
                    while true {
                        let page = try await connection.query(FetchPage())
                        for row in page { try file.write(line: Array(row.utf8)) }
                        guard page.count == FetchPage.size else { break }
                    }
                    try await connection.run(unsafeSQL: "close \(OpenCursor.name)")
                    entries.append(try file.finish())
                }
                return entries
            }
        }
        manifest.entries += entries
    }

    private func writeEvents(to folder: String, _ manifest: inout ExportManifest) async throws {
        var file = try ExportFile("events.jsonl", in: folder)
        for stream in try await pool.query(SelectStreams(subject: subject)) {
            var next = 1
            while true {
                let events = try await store.read(stream, from: next, limit: 1_000)
                guard let last = events.last else { break }
                for event in events { try file.write(line: Array(event.json.utf8)) }
                next = last.version + 1
            }
        }
        manifest.entries.append(try file.finish())
    }

    private func writeObjects(to folder: String, _ manifest: inout ExportManifest) async throws {
        guard let objects else { return }
        for prefix in SubjectErasure.objectFolders(of: subject) {
            try await write(below: prefix, of: objects, to: folder, &manifest)
        }
    }

    private func write(
        below prefix: String,
        of objects: any ObjectStore,
        to folder: String,
        _ manifest: inout ExportManifest
    ) async throws {
        var after: ObjectName?
        while true {
            let names = try await objects.listAll(prefix: prefix, after: after, limit: 1_000)
            for name in names {
                let entry = try await objects.get(name) { _, pieces in
                    var file = try ExportFile(name, of: subject, in: folder)
                    for try await piece in pieces { try file.write(piece) }
                    return try file.finish()
                }
                manifest.entries.append(entry)
            }
            guard names.count == 1_000 else { return }
            after = names.last
        }
    }

    private func appendEvent() async throws {
        let data = JSONValue.object([
            .init("userId", .string(subject.description)), .init("resource", .string("user/\(subject)")),
            .init("result", .string("success")),
        ])
        let event = try EventDraft(
            id: .generate(at: .now()),
            type: EventType("access.exported"),
            data: Array(data.json.utf8),
            metadata: Array(JSONValue.object([.init("actor", .string(actor))]).json.utf8)
        )
        let subject = subject
        _ = try await store.withAppender { try await $0.append(Append(stream: subject, events: [event])) }
    }

    // MARK: Statements

    private struct Exists: PostgresStatement {
        let relation: String
        let sql = "select to_regclass($1) is not null"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(relation) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
    }

    /// Opens a cursor over rows, through a function, because DECLARE takes no parameters.
    private struct OpenCursor: PostgresStatement {
        static let name = "export_rows"
        let subject: StreamID
        let rows: String
        let sql = "select open_export($1, $2)::text"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(subject.uuid)
            try parameters.append(rows)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
    }

    private struct FetchPage: PostgresStatement {
        static let size = 500
        let sql = "fetch \(Self.size) from \(OpenCursor.name)"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }
}
