import Cache
import Directory
import EventModel
import EventStore
import Foundation
import Postgres
import Privacy
import Projector
import ReadModel

/// The part of `recorder demo` that follows one user, who registers, talks, searches, asks too often, is exported and
/// erased.
///
/// Each step prints the call or command that it stands for, and the result. `JourneyTests` checks what is shown.
struct DemoJourney {
    /// The server that it runs on.
    let recorder: EmbeddedRecorder
    /// Whether to print JSON.
    let json: Bool

    private let user = StreamID.generate(at: .now())
    private let talk = DemoTalk()

    init(recorder: EmbeddedRecorder, json: Bool) {
        self.recorder = recorder
        self.json = json
    }

    private var settings: Settings { recorder.settings }
    /// Holds the user's objects and the export, as long as the journey lasts.
    private var folder: String { "\(settings.directory)/journey" }

    /// Runs all steps.
    func run() async throws {
        // Removes what a killed run left behind.
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let objects = DirectoryObjectStore(directory: "\(folder)/objects")
        try await settings.withPool { pool in
            let own = UserDirectory(pool, keys: settings.keys).acting(
                for: ActingUser(user, metadata: EventMetadata(ipAddress: "203.0.113.7", userAgent: "demo"))
            )
            // Each step opens the log anew, as the commands do: a log that has read a key may use it for another
            // second.
            try await register(own, objects)
            try await settings.withStore { try await converse($0) }
            try await search(own)
            try await askTooOften(pool)
            try await recorder.projector.runUntilCaughtUp()
            try await settings.withStore { try await export(pool, $0, objects) }
            try await verify(pool)
            try await settings.withStore { try await erase(pool, $0, objects) }
            try await settings.withStore { try await replay(pool, $0) }
            try await verify(pool)
            try await changeByHand(pool)
        }
    }

    // MARK: Living

    private func register(_ own: Repositories, _ objects: DirectoryObjectStore) async throws {
        step("users.create(…), voiceModels.create(…), documents.create(…)")
        // Addresses are unique, and a run that was cut off leaves its user.
        let address = "ada.\(user.description.suffix(12))@example.org"
        let name = try ObjectName.user(user.uuid, "voice.bin")
        try await objects.put(name, bytes: Array("a voice".utf8))
        let document = try await own.transaction { unit in
            _ = try await unit.users.create(User.Draft(email: address))
            _ = try await unit.voiceModels.create(.init(provider: .xtts, modelPath: name.description, isActive: true))
            return try await unit.documents.create(.init(filename: talk.filename, textContent: talk.document))
        }
        report("register", "\(address) has a voice and '\(document.filename)'") { line in
            line.field("user", user.description)
            line.field("document", document.filename)
        }
    }

    private func converse(_ store: PostgresEventStore) async throws {
        step("appender.append(…)")
        let events = try talk.events(of: user)
        let versions = try await store.withAppender { appender in
            try await appender.append(Append(stream: talk.session, expectedVersion: .noStream, events: events))
        }
        report(
            "converse",
            "'\(talk.said)': \(Counted.text(versions.positions.count, "event")) of session \(talk.session)"
        ) { line in
            line.field("session", talk.session.description)
            line.field("events", versions.positions.count)
        }
    }

    private func search(_ own: Repositories) async throws {
        let words = "insuring luggage"
        step("searchDocuments(\"\(words)\")")
        for hit in try await own.searchDocuments(words).items {
            let snippet = hit.snippet.parts.map { $0.isMatch ? "[\($0.text)]" : $0.text }.joined()
            report("search", "\(hit.filename): \(snippet.onOneLine)") { line in
                line.field("document", hit.filename)
                line.field("rank", hit.rank)
                line.field("snippet", snippet)
            }
        }
    }

    private func askTooOften(_ pool: PostgresPool) async throws {
        step("limiter.take(user: …, endpoint: \"search\", limit: .every(.seconds(60), 2))")
        let limiter = RateLimiter(pool)
        for time in 1...3 {
            let decision = try await limiter.take(user: user.uuid, endpoint: "search", limit: .every(.seconds(60), 2))
            report("limit", "\(time): \(decision)") { line in
                line.field("allowed", decision.isAllowed)
                line.field("retryAfterSeconds", decision.retryAfter / .seconds(1))
            }
        }
    }

    // MARK: Leaving

    private func export(_ pool: PostgresPool, _ store: PostgresEventStore, _ objects: DirectoryObjectStore) async throws
    {
        let target = "\(folder)/export"
        command("recorder subject export \(user) --to \(target) --objects \(folder)/objects")
        let manifest = try await SubjectExport(of: user, actor: "demo", pool: pool, store: store, objects: objects)
            .write(to: target)
        guard !json else { return StandardOutput.shared.line(manifest.json) }
        let held = manifest.entries.filter { $0.rows != 0 }
        say(
            "\(Counted.text(manifest.entries.count, "file")), \(manifest.entries.count - held.count) of them empty; rows:"
        )
        let texts = held.map { entry in
            entry.rows.map { "\(entry.file.replacing(".jsonl", with: "")) \($0)" } ?? entry.file
        }
        for start in stride(from: 0, to: texts.count, by: 5) {
            say("  " + texts[start...].prefix(5).joined(separator: ", "))
        }
    }

    private func erase(_ pool: PostgresPool, _ store: PostgresEventStore, _ objects: DirectoryObjectStore) async throws
    {
        command("recorder subject erase \(user) --yes --objects \(folder)/objects")
        let certificate = try await settings.erasure(
            of: user,
            by: "demo",
            pool,
            store,
            projections: try ProjectionSource(folder: nil).files(),
            objects: objects
        ).run()
        guard !json else { return StandardOutput.shared.line(certificate.json) }
        let facts = try JSONValue(json: Array(certificate.json.utf8))
        func count(_ name: String) -> Int { facts[name]?.integer ?? 0 }
        say(
            "certificate: \(Counted.text(count("events"), "event")) in \(Counted.text(count("streams"), "stream")), "
                + "\(count("sealedEvents")) sealed and now closed for good, \(certificate.remaining) readable; "
                + "sha256 \(facts["sha256"]?.string?.prefix(16) ?? "")"
        )
        guard case .object(let done) = facts["done"] else { return }
        say("  " + done.filter { $0.value.integer != 0 }.map { "\($0.name) \($0.value.json)" }.joined(separator: ", "))
    }

    private func replay(_ pool: PostgresPool, _ store: PostgresEventStore) async throws {
        command("recorder replay \(talk.session) --speed 0")
        let prices = try await ReadModels(pool).prices()
        try await SessionPlayer(session: talk.session, prices: prices, store: store).play(speed: 0, json: json)
    }

    // MARK: The audit log

    private func verify(_ pool: PostgresPool) async throws {
        try await recorder.projector.runUntilCaughtUp()
        command("recorder audit verify")
        let models = ReadModels(pool)
        let faults = try await models.verifyAudit()
        AuditVerifyCommand.show(faults, of: try await models.auditExtent(), json: json)
        if json, faults.isEmpty { JSONLine.print { $0.field("step", "the chains hold") } }
    }

    /// Changes a row as only a superuser can, lets the verification find it, and changes it back.
    private func changeByHand(_ pool: PostgresPool) async throws {
        var filter = AuditFilter()
        filter.user = user
        filter.action = "access.exported"
        guard let row = try await ReadModels(pool).audit(filter).first else {
            throw CommandError(.notFound, "the export of user \(user) does not stand in the audit log")
        }
        try await set("failure", in: row, pool)
        do {
            try await verify(pool)
        } catch {
            // Not a child: the row is mended also when a signal has cancelled the demo.
            await Task { try? await set(row.result, in: row, pool) }.value
            throw error
        }
        try await set(row.result, in: row, pool)
        try await verify(pool)
    }

    private func set(_ result: String, in row: AuditEntry, _ pool: PostgresPool) async throws {
        let sql = "update audit_logs set result = '\(result)' where id = '\(row.eventID)'"
        command("psql -c \"\(sql)\"")
        try await pool.withConnection { try await $0.run(unsafeSQL: sql) }
    }

    // MARK: Printing

    private func step(_ call: String) {
        if !json { say("> \(call)") }
    }

    private func command(_ text: String) {
        if !json { say("$ \(text)") }
    }

    private func report(_ step: String, _ text: String, _ fields: (inout JSONLine) -> Void) {
        guard json else { return say(text) }
        JSONLine.print { line in
            line.field("step", step)
            fields(&line)
        }
    }

    private func say(_ text: String) { StandardOutput.shared.line(text) }
}
