import EventModel
import Foundation
import Postgres
import Projector
import ReadModel
import RecorderTesting
import Schema
import Testing

@testable import Privacy

/// The audit log's chains, through ages, erasures and rebuilds.
@Suite struct AuditErasureTests {
    private static func logins(_ user: StreamID, _ metadata: [String]) throws -> [EventDraft] {
        try metadata.map { metadata in
            try EventDraft(
                id: .generate(at: .now()),
                type: .userLoggedIn,
                data: Array(#"{"result":"success"}"#.utf8),
                metadata: Array(metadata.utf8)
            )
        }
    }

    @Test func `what an operator declared is blanked in the audit log too, as a rebuild has it`() async throws {
        try await withPrivacyWorld { world in
            let ada = StreamID(UUID())
            try await world.run(
                """
                insert into personal_fields (type, source, field) values
                    ('user.*', 'metadata', 'deviceId'), ('access.*', 'metadata', 'place')
                """
            )
            let metadata = #"{"deviceId":"adadevice","place":"here","note":null}"#
            try await world.append(ada, try Self.logins(ada, [metadata, "{}"]))
            try await world.project()
            _ = try await world.withErasure(of: ada) { try await $0.run() }
            let rows = try await world.text(
                "select metadata from audit_logs where action = 'user.logged_in' order by position"
            )
            #expect(rows == [[#"{"note": null, "place": "here", "deviceId": null}"#], ["{}"]])
            try await world.project()
            #expect(try await world.differences() == 0)
            #expect(try await world.withPool { try await ReadModels($0).verifyAudit() }.isEmpty)
        }
    }

    @Test func `behind rows that went by age an erasure and a rebuild leave chains that verify`() async throws {
        try await withPrivacyWorld { world in
            let ada = StreamID(UUID())
            let metadata = (1...5).map { #"{"ipAddress":"203.0.113.\#($0)"}"# }
            try await world.append(ada, try Self.logins(ada, metadata))
            try await world.project()
            func faults() async throws -> [AuditFault] {
                try await world.withPool { try await ReadModels($0).verifyAudit() }
            }
            func retain() async throws {
                try await world.run("update retention_policies set keep_for = '1 hour' where name = 'audit_logs'")
                _ = try await world.text("select retain_audit_logs(100, false)")
            }
            // The first three are old.
            try await world.run(
                """
                update audit_logs_v1 set timestamp = timestamp - interval '1 day'
                where position in (select position from audit_logs_v1 order by position limit 3)
                """
            )
            try await retain()
            #expect(try await world.text("select count(*) from audit_logs") == [["2"]])
            #expect(try await faults().isEmpty)
            _ = try await world.withErasure(of: ada) { try await $0.run() }
            #expect(try await faults().isEmpty)
            try await world.project()
            #expect(try await world.differences() == 0)

            // A rebuild brings the older rows back, without their addresses; they go again.
            let rebuild = try RebuildGroup(
                [("audit_logs", nil)],
                among: try ProjectionFiles.all(in: .embedded),
                configuration: world.database,
                options: RebuildOptions(keys: world.keys)
            )
            _ = try await rebuild.run()[0].outcome.get()
            #expect(try await faults().isEmpty)
            #expect(try await world.differences() == 0)
            try await world.run(
                """
                update audit_logs_v1 set timestamp = timestamp - interval '1 day'
                where position in (select position from audit_logs_v1 order by position limit 3)
                """
            )
            try await retain()
            #expect(try await faults().isEmpty)
            #expect(try await world.differences() == 0)
            // What the rest of a row says is compared.
            try await world.run("update audit_logs_v1 set result = 'denied' where action = 'user.logged_in'")
            #expect(try await world.differences() > 0)
            #expect(try await !faults().isEmpty)
        }
    }

    @Test func `events that name the nil UUID are nobody's`() async throws {
        try await withPrivacyWorld { world in
            let stream = StreamID(UUID())
            let login = try EventDraft(
                id: .generate(at: .now()),
                type: .userLoggedIn,
                data: Array(#"{"userId":"00000000-0000-0000-0000-000000000000"}"#.utf8)
            )
            try await world.append(stream, [login])
            try await world.project()
            #expect(try await world.text("select user_id from audit_logs") == [[nil]])
            #expect(try await world.withPool { try await ReadModels($0).verifyAudit() }.isEmpty)
            try await withConnection(world.database) { connection in
                try await connection.run(unsafeSQL: "set recorder.user_id = '00000000-0000-0000-0000-000000000000'")
                #expect(try await connection.text(unsafeSQL: "select acting_user()") == [[nil]])
            }
        }
    }
}
