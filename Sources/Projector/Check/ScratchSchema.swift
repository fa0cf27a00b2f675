internal import FoundationEssentials
internal import Postgres
internal import Schema

/// A schema that exists inside one transaction only.
struct ScratchSchema: Sendable {
    let name: String

    /// Creates the schema and puts it before another one in the search path: new objects go to the new schema, the
    /// others are found in the other one.
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
