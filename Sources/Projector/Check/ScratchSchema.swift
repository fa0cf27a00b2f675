internal import FoundationEssentials
internal import Postgres

/// A schema that exists inside one transaction only.
struct ScratchSchema: Sendable {
    let name: String

    /// Makes the schema, in front of another one: what is created goes to the new schema, what is only there is found in
    /// the other.
    ///
    /// - Parameter connection: In a transaction, which the caller rolls back.
    static func make(beside schema: String, on connection: isolated PostgresConnection) async throws -> ScratchSchema {
        let scratch = ScratchSchema(name: "recorder_check_\(UUID().uuidString.prefix(8).lowercased())")
        let quoted =
            "\"" + schema.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        try await connection.run(
            unsafeSQL: """
                create schema \(scratch.name);
                grant usage, create on schema \(scratch.name) to recorder_projector, recorder_owner;
                set local search_path = \(scratch.name), \(quoted);
                set local client_min_messages = warning
                """
        )
        return scratch
    }
}

extension PostgresConnection {
    /// Runs a script in the open transaction, and takes it back if the server refuses it.
    ///
    /// - Returns: The refusal; `nil` if the script ran, and then what it did stays.
    func refusal(of script: String) async throws -> PostgresError? {
        do {
            try await savepoint { connection in try await connection.run(unsafeSQL: script) }
            return nil
        } catch let error as PostgresError where error.code == .server {
            return error
        }
    }
}
