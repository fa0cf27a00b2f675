import Postgres
import Projector
import ReadModel
import RecorderTesting
import Schema
import Testing

@testable import Privacy

/// Audited rows that come late, of transactions that stayed open, where retention has deleted older rows of their
/// chain.
@Suite struct LateAuditedRowTests {
    private static let ada = "019cad8f-ac00-7d67-b00a-4911e12a0002"

    /// Appends what somebody did with Ada's data, to a stream of his own.
    private static func read(_ resource: String, isOld: Bool) -> String {
        """
        select append_event(gen_random_uuid(), 'access.exported', jsonb_build_object('userId', '\(ada)', 'resource', '\(resource)'),
            '{}', null, null, \(isOld ? "'2020-03-02 08:00+00'" : "clock_timestamp()"))
        """
    }

    /// Has events appended, those called late in transactions of their own that end after `meanwhile`.
    private static func append(
        _ events: [(resource: String, isOld: Bool, isLate: Bool)],
        in world: PrivacyWorld,
        _ meanwhile: () async throws -> Void
    ) async throws {
        guard let event = events.first else { return try await meanwhile() }
        guard event.isLate else {
            try await world.run(read(event.resource, isOld: event.isOld))
            return try await append(Array(events.dropFirst()), in: world, meanwhile)
        }
        try await withConnection(world.database) { open in
            try await open.run(unsafeSQL: "begin; \(read(event.resource, isOld: event.isOld))")
            try await append(Array(events.dropFirst()), in: world, meanwhile)
            try await open.run(unsafeSQL: "commit")
        }
    }

    /// Deletes what is old, at most `batch` rows.
    private static func retain(_ batch: Int = 100, in world: PrivacyWorld) async throws -> String? {
        try await world.text("select retain_audit_logs(\(batch), false)").first?.first ?? nil
    }

    private static func left(in world: PrivacyWorld) async throws -> String? {
        try await world.text("select string_agg(resource, ' ' order by position) from audit_logs")[0][0]
    }

    /// Expects chains that verify, and rows as the log has them.
    private static func expectSound(_ world: PrivacyWorld, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        let faults = try await world.withPool { try await ReadModels($0).verifyAudit() }
        #expect(faults.isEmpty, sourceLocation: sourceLocation)
        #expect(try await world.differences() == 0, sourceLocation: sourceLocation)
    }

    /// Puts a model that is built anew in place of the live one, without accepting a difference.
    private static func rebuild(_ world: PrivacyWorld) async throws {
        let rebuild = try RebuildGroup(
            [("audit_logs", nil)],
            among: try ProjectionFiles.all(in: .embedded),
            configuration: world.database,
            options: RebuildOptions(keys: world.keys)
        )
        _ = try await rebuild.run()[0].outcome.get()
    }

    @Test func `a late row behind those that went is linked to the last of them`() async throws {
        try await withPrivacyWorld { world in
            try await world.run("update retention_policies set keep_for = '60 days' where name = 'audit_logs'")
            try await world.run(Self.read("a", isOld: true))
            try await world.run(Self.read("b", isOld: true))
            try await Self.append([("late", false, true), ("c", false, false)], in: world) {
                try await world.project()
                #expect(try await Self.retain(in: world) == "2")
                try await Self.expectSound(world)
            }
            try await world.project()
            #expect(try await Self.left(in: world) == "late c")
            try await Self.expectSound(world)
            try await Self.rebuild(world)
            try await Self.expectSound(world)
            #expect(try await Self.retain(in: world) == "2")
            #expect(try await Self.left(in: world) == "late c")
            try await Self.expectSound(world)
        }
    }

    @Test func `a late row before the last that went goes by age in its turn`() async throws {
        try await withPrivacyWorld { world in
            try await world.run("update retention_policies set keep_for = '60 days' where name = 'audit_logs'")
            let events = [("a", true, false), ("late", true, true), ("b", true, false), ("c", false, false)]
            try await Self.append(events, in: world) {
                try await world.project()
                #expect(try await Self.retain(in: world) == "2")
                try await Self.expectSound(world)
            }
            try await world.project()
            #expect(try await Self.left(in: world) == "late c")
            try await Self.expectSound(world)
            #expect(try await Self.retain(in: world) == "1")
            #expect(try await Self.left(in: world) == "c")
            try await Self.expectSound(world)
            // What a rebuild brings back goes again, row by row.
            try await Self.rebuild(world)
            #expect(try await Self.left(in: world) == "a late b c")
            try await Self.expectSound(world)
            for left in ["late b c", "b c", "c"] {
                #expect(try await Self.retain(1, in: world) == "1")
                #expect(try await Self.left(in: world) == left)
                try await Self.expectSound(world)
            }
        }
    }

    @Test func `a late row that is young stays in front of where others went`() async throws {
        try await withPrivacyWorld { world in
            try await world.run("update retention_policies set keep_for = '60 days' where name = 'audit_logs'")
            let events = [
                ("a", true, false), ("old", true, true), ("young", false, true), ("b", true, false),
                ("c", false, false),
            ]
            try await Self.append(events, in: world) {
                try await world.project()
                #expect(try await Self.retain(in: world) == "2")
            }
            try await world.project()
            #expect(try await Self.left(in: world) == "old young c")
            try await Self.expectSound(world)
            #expect(try await Self.retain(in: world) == "1")
            #expect(try await Self.left(in: world) == "young c")
            try await Self.expectSound(world)
        }
    }
}
