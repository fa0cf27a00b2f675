import RecorderTesting
import Testing

@testable import Postgres

@Suite struct PostgresSettingsTests {
    private static let names = [
        "search_path", "recorder.note", "jit", "standard_conforming_strings", "lock_timeout", "datestyle",
        "intervalstyle", "extra_float_digits",
    ]

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

    @Test func `times, intervals and numbers are written the same, whatever the database wants`() async throws {
        try await withTestDatabase(.empty) { configuration in
            try await withConnection(configuration) { connection in
                for setting in [
                    "datestyle = 'German'", "timezone = 'Asia/Kolkata'", "intervalstyle = 'iso_8601'",
                    "extra_float_digits = 0",
                ] {
                    try await connection.run(
                        unsafeSQL: """
                            do $$ begin
                                execute format('alter database %I set ', current_database()) || $set$\(setting)$set$;
                            end $$
                            """
                    )
                }
            }
            let texts = try await withConnection(configuration) { connection in
                try await connection.text(
                    unsafeSQL: """
                        select timestamptz '2026-11-30 16:34:41.809832+00', interval '36 hours', (2 / 35.0)::real,
                            date '2026-11-30'
                        """
                )
            }
            #expect(texts == [["2026-11-30 22:04:41.809832+05:30", "36:00:00", "0.057142857", "2026-11-30"]])
        }
    }
}
