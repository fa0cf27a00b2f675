import RecorderTesting
import Testing

@testable import Postgres

@Suite struct PostgresSettingsTests {
    private static let names = ["search_path", "recorder.note", "jit", "standard_conforming_strings", "lock_timeout"]

    private func settings(_ connection: PostgresConnection) async throws -> [[String?]] {
        let columns = Self.names.map { "current_setting('\($0)')" }.joined(separator: ", ")
        return try await connection.text(unsafeSQL: "select \(columns)")
    }

    @Test(arguments: ["recorder", "O'Hara \\ \"home\""])
    func `a session that is lent gets the same by SQL as one of its own`(schema: String) async throws {
        try await withPooledDatabase(.empty) { pooled in
            try await withTestDatabase(.empty) { direct in
                var found: [[[String?]]] = []
                for var configuration in [pooled, direct] {
                    configuration.schema = schema
                    configuration.settings = ["lock_timeout": "7s", "recorder.note": #"it's a \ test"#]
                    found.append(try await withConnection(configuration, settings))
                }
                #expect(found[0] == found[1])
            }
        }
    }
}
