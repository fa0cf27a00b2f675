import Foundation
import Postgres
import RecorderTesting
import Testing

/// The commands of the main job, on one database.
struct Recording {
    let database: PostgresConfiguration

    init(_ database: PostgresConfiguration) { self.database = database }

    /// Loads the prices.
    func prices() async throws {
        let file = try SharedData.prices().path(percentEncoded: false)
        let loaded = try await RecorderCommand.run("prices", "load", file, databaseURL: database.url)
        #expect(loaded.status == 0, "\(loaded.errors)")
    }

    /// Starts an import.
    ///
    /// - Parameter name: What its sessions are called in the server.
    func startImport(_ files: [URL], as name: String = "import") throws -> RecorderCommand {
        try RecorderCommand(
            ["import"] + files.map { $0.path(percentEncoded: false) },
            databaseURL: database.url + " application_name='\(name)'"
        )
    }

    /// Imports files.
    func importing(_ files: [URL]) async throws -> RecorderCommand.Result {
        try await startImport(files).result()
    }

    /// Starts a projector that stops at the head.
    func startProjecting() throws -> RecorderCommand {
        try RecorderCommand(["project", "--until-caught-up"], databaseURL: database.url)
    }

    /// Projects to the head.
    func project() async throws {
        let projected = try await startProjecting().result()
        #expect(projected.status == 0, "\(projected.errors)")
    }

    /// How many rows a table has.
    func count(_ table: String) async throws -> Int {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.text(unsafeSQL: "select count(*) from \(table)")
        await connection.close()
        return rows.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? -1
    }

    /// One hash for each read model, over all its rows and columns but those that depend on positions.
    func fingerprints() async throws -> [String: String] {
        let connection = try await PostgresConnection.connect(database)
        var fingerprints: [String: String] = [:]
        for view in [
            "conversation_sessions", "conversation_turns", "conversation_costs", "audit_logs", "latency_metrics",
            "interruptions",
        ] {
            let rows = try await connection.text(
                unsafeSQL: """
                    select md5(string_agg(row::text, '|' order by row::text)) from (
                        select to_jsonb(v) - 'position' - 'hash' - 'previous_hash' as row from \(view) v
                    ) rows
                    """
            )
            fingerprints[view] = rows.first?.first.flatMap { $0 } ?? "empty"
        }
        await connection.close()
        return fingerprints
    }
}
