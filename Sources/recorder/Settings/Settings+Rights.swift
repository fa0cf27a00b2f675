import Postgres
import Projector

/// Tells a role that it has no rights on the schema: to it, everything in there seems not to exist.
extension Settings {
    /// Runs work on the database; if tables or functions seem to be missing, checks whether it is the rights that are
    /// missing.
    ///
    /// - Throws: ``CommandError`` with code `.refused` if so; what the work throws otherwise.
    func tellingOfRights<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch  where Self.missesSomething(error) {
            guard let role = try? await roleWithoutUsage() else { throw error }
            throw CommandError(
                .refused,
                "the role \(role) may not use the schema \(schema): grant it one of the roles that may (recorder_appender, "
                    + "recorder_projector, recorder_analyst, recorder_service), or connect as another"
            )
        }
    }

    private static func missesSomething(_ error: any Error) -> Bool {
        // `current_schema` leaves out a schema that the role may not use.
        if (error as? ProjectorError)?.code == .invalidProjection { return true }
        return ErrorCauses.database(of: error).map { $0.isMissingObject || $0.isPermissionDenied } == true
    }

    /// The role that these settings connect as, if the schema exists and the role may not use it.
    private func roleWithoutUsage() async throws -> String? {
        try await PostgresConnection.with(try database(), logger: logger) { connection in
            try await connection.first(SelectRoleWithoutUsage(schema: schema))
        }
    }

    private struct SelectRoleWithoutUsage: PostgresStatement {
        let sql = """
            select current_user::text from pg_namespace where nspname = $1 and not has_schema_privilege(oid, 'usage')
            """
        let schema: String

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(schema) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }
}
