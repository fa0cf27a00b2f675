import EventModel
import EventStore
import Foundation
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// Changes of entities in a sealed log: the address of who acts is sealed, and the audit log shows it.
@Suite struct SealedDirectoryTests {
    private static let address = "198.51.100.23"

    @Test func `a change's address is sealed under the user's key`() async throws {
        try await withDirectory { fixture in
            let keys = SealingKeys([LocalKeyEncryptionKey()])
            let pool = PostgresPool(fixture.database, limits: .init(size: 2), logger: TestServer.silent)
            _ = try await KeyAdministration(pool, keys: keys).initialise()
            await pool.close()
            let service = PostgresPool(fixture.service, limits: .init(size: 4), logger: TestServer.silent)
            let user = StreamID(UUID())
            let acting = ActingUser(user, metadata: EventMetadata(ipAddress: Self.address, userAgent: "Voice/1"))

            // Without the key the change is refused whole, and says what is missing.
            let without = UserDirectory(service).acting(for: acting)
            let refusal = await expect(.notInstalled) {
                try await without.users.create(.init(email: "ada@example.org"))
            }
            #expect(refusal?.description.contains("RECORDER_KEY_FILE") == true)

            let directory = UserDirectory(service, keys: keys).acting(for: acting)
            _ = try await directory.users.create(.init(email: "ada@example.org"))
            let document = try await directory.documents.create(.init(filename: "a", textContent: "b"))
            _ = try await directory.documents.update(document.id, version: 1) { [$0.filename.set("c")] }
            await service.close()

            let events = try await PostgresEventStore.with(fixture.database, keys: keys, logger: TestServer.silent) {
                try await $0.read(user)
            }
            #expect(events.map(\.type.name) == ["user.registered", "document.created", "document.updated"])
            for event in events {
                let metadata = try JSONValue(json: event.metadata)
                #expect(metadata["ipAddress"]?.string == Self.address)
                #expect(metadata["userAgent"]?.string == "Voice/1")
            }
            let stored = try await withConnection(fixture.database) {
                try await $0.text(unsafeSQL: "select encode(payload, 'escape'), sealed_key(payload) from events")
            }
            #expect(stored.allSatisfy { $0[0]?.contains("198.51") == false && $0[1] == "1" })
        }
    }

    @Test func `a frame for another's stream, or under another's key, is refused`() async throws {
        try await withDirectory { fixture in
            let keys = SealingKeys([LocalKeyEncryptionKey()])
            let pool = PostgresPool(fixture.database, limits: .init(size: 2), logger: TestServer.silent)
            _ = try await KeyAdministration(pool, keys: keys).initialise()
            await pool.close()
            let (mine, other) = (StreamID(UUID()), StreamID(UUID()))
            let encoder = PayloadEncoder(compression: .none)
            func frame(about user: StreamID, key: Int64?) throws -> [UInt8] {
                let (data, metadata) = (Array(#"{"userId":"\#(user)"}"#.utf8), Array(#"{"ipAddress":"::1"}"#.utf8))
                guard let key else { return try encoder.encode(data: data, metadata: metadata).frame }
                let seal = PayloadSeal(
                    data: [],
                    metadata: [13..<18],
                    keyID: key,
                    key: SubjectKey(),
                    identity: PayloadIdentity(stream: user.uuid, event: UUID())
                )
                return try encoder.encode(data: data, metadata: metadata, sealing: seal).frame
            }
            try await fixture.run(
                """
                insert into subject_keys (subject_id, wrapped_key, kek_id) values ('\(mine)', 'x', 'y'), ('\(other)', 'x', 'y')
                """
            )
            func attempt(_ frame: [UInt8]) async throws -> String? {
                let hex = frame.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                return try await withConnection(fixture.service) { connection in
                    do {
                        try await connection.run(
                            unsafeSQL: """
                                begin; set local role recorder_service; set local recorder.user_id = '\(mine)';
                                select append_own_frames(array[gen_random_uuid()], array['user.updated'], array['\\x\(hex)'::bytea]);
                                commit
                                """
                        )
                        return nil
                    } catch let error as PostgresError {
                        return error.sqlState
                    }
                }
            }
            #expect(try await attempt(try frame(about: mine, key: 1)) == nil)
            #expect(try await attempt(try frame(about: other, key: 1)) == "42501")
            #expect(try await attempt(try frame(about: mine, key: 2)) == "42501")
            #expect(try await attempt(try frame(about: mine, key: nil)) == "RC002")
        }
    }

    @Test func `frames that are not all there, or not whole, are refused`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register().user
            let before = try await fixture.text("select count(*) from events")
            let data = #"'{"userId": "\#(user)"}'"#
            let frame = "identity_frame(\(data), '{\"actor\": \"a\"}')"
            let (id, type) = ("gen_random_uuid()", "'user.updated'")
            func attempt(_ ids: String, _ types: String, _ frames: String) async throws -> String? {
                do {
                    try await withConnection(fixture.service) { connection in
                        try await connection.run(
                            unsafeSQL: """
                                begin; set local role recorder_service; set local recorder.user_id = '\(user)';
                                select append_own_frames(\(ids), \(types), \(frames)); rollback
                                """
                        )
                    }
                    return nil
                } catch let error as PostgresError {
                    return error.sqlState
                }
            }
            func attempt(_ frame: String) async throws -> String? {
                try await attempt("array[\(id)]", "array[\(type)]", "array[\(frame)]")
            }
            #expect(try await attempt(frame) == nil)
            for (ids, types, frames) in [
                ("array[\(id)]", "array[\(type)]", "array[\(frame), \(frame)]"),
                ("array[\(id), \(id)]", "array[\(type)]", "array[\(frame)]"),
                ("array[\(id)]", "array[\(type), \(type)]", "array[\(frame)]"),
                ("array[\(id)]", "array[\(type)]", "null"), ("null", "null", "null"),
                ("null", "array[\(type)]", "array[\(frame)]"),
                ("array[null::uuid]", "array[\(type)]", "array[\(frame)]"),
                ("array[\(id)]", "array[null::text]", "array[\(frame)]"),
                ("array[\(id)]", "array[\(type)]", "array[null::bytea]"),
            ] {
                #expect(try await attempt(ids, types, frames) == "RC002", "\(ids) \(types) \(frames)")
            }
            for damaged in [
                "\(frame) || decode('00', 'hex')", "substr(\(frame), 1, length(\(frame)) - 1)",
                "substr(\(frame), 1, 6)", "''::bytea",
                "set_byte(\(frame), 5, get_byte(\(frame), 5) # 1)",
                "set_byte(\(frame), 12, get_byte(\(frame), 12) # 1)",
                "set_byte(\(frame), 0, 26)", "decode('1200ffffffffffffffff', 'hex')",
                "decode('1200800080000000000000', 'hex')",
            ] {
                #expect(try await attempt(damaged) == "RC002", "\(damaged)")
            }
            #expect(try await fixture.text("select count(*) from events") == before)
        }
    }
}
