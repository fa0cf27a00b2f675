internal import FoundationEssentials
internal import Postgres
internal import Schema

/// A schema that exists inside one transaction only.
struct ScratchSchema: Sendable {
    let name: String

    /// Makes the schema, in front of another one: what is created goes to the new schema,
    /// what is only there is found in the other.
    ///
    /// - Parameter connection: In a transaction, which the caller rolls back.
    static func make(beside schema: String, on connection: isolated PostgresConnection) async throws -> ScratchSchema {
        let scratch = ScratchSchema(name: "recorder_check_\(UUID().uuidString.prefix(8).lowercased())")
        try await connection.run(
            unsafeSQL: """
                create schema \(scratch.name);
                grant usage, create on schema \(scratch.name) to recorder_projector, recorder_owner;
                set local client_min_messages = warning
                """
        )
        _ = try await connection.first(SetSearchPath(schemas: [scratch.name, schema]))
        return scratch
    }
}
