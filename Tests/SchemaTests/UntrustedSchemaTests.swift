import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Schema

/// Migrations run with the rights of whoever migrates, so nobody else's code may be taken for the server's.
@Suite struct UntrustedSchemaTests {
    private static let first = [
        "migrations/0001_first.up.sql": "create table first (n int)",
        "migrations/0001_first.down.sql": "drop table first",
    ]
    private static let second = [
        "migrations/0002_second.up.sql": "create table second (n int)",
        "migrations/0002_second.down.sql": "drop table second",
    ]
    private let files = SQLFiles(texts: first.merging(second) { $1 })

    @Test(arguments: [true, false])
    func `code that others have put into the schema is not run`(isBeforehand: Bool) async throws {
        try await withTestDatabase(.empty) { configuration in
            try await withConnection(configuration) { administrator in
                let role = "stranger_\(UUID().uuidString.prefix(8).lowercased())"
                try await administrator.run(unsafeSQL: "create role \(role)")
                if isBeforehand {
                    try await administrator.run(unsafeSQL: "create schema recorder authorization \(role)")
                } else {
                    _ = try await Migrator(files: SQLFiles(texts: Self.first)).up(
                        on: administrator
                    )
                    try await administrator.run(
                        unsafeSQL: """
                            grant create, usage on schema recorder to \(role); set role \(role);
                            create function recorder.format(text, text) returns text language sql return 'mine';
                            reset role
                            """
                    )
                }
                let error = await #expect(throws: SchemaError.self) {
                    try await Migrator(files: files).up(on: administrator)
                }
                #expect(
                    error?.code == .untrusted && error?.message.contains(role) == true,
                    "\(String(describing: error))"
                )
                try await administrator.run(
                    unsafeSQL: "drop schema recorder cascade; drop owned by \(role); drop role \(role)"
                )
            }
        }
    }
}
