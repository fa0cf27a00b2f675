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
    func `a session that a pooler gave without settings gets the same by SQL`(schema: String) async throws {
        try await withTestDatabase(.empty) { given in
            var configuration = given
            configuration.schema = schema
            configuration.settings = ["lock_timeout": "7s", "recorder.note": #"it's a \ test"#]
            var bare = given
            (bare.schema, bare.settings) = (nil, ["standard_conforming_strings": "off"])
            let script = configuration.startupScript
            let expected = try await withConnection(configuration, settings)
            let found = try await withConnection(bare) { connection in
                try await connection.run(unsafeSQL: script)
                return try await settings(connection)
            }
            #expect(found == expected)
        }
    }
}
