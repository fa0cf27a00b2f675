package import FoundationEssentials

/// Sets the user for whom later statements act, until the transaction or the pipeline ends.
///
/// Row-level security then shows and accepts only that user's rows, except for roles that bypass it.
package struct ActFor: PostgresStatement {
    private let user: UUID
    private let role: String?

    /// - Parameters:
    ///   - user: The acting user.
    ///   - role: The role to take as well, of which the login must be a member; `nil` keeps the login's own.
    package init(_ user: UUID, as role: String? = nil) {
        self.user = user
        self.role = role
    }

    package var sql: String {
        role == nil
            ? "select set_config('recorder.user_id', $1, true)"
            : "select set_config('recorder.user_id', $1, true), set_config('role', $2, true)"
    }

    package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(user.uuidString)
        if let role { try parameters.append(role) }
    }

    package func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
}
