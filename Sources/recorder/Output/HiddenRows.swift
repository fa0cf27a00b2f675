import ReadModel

/// Says that row security, and not the log, is why nothing is shown.
enum HiddenRows {
    /// Warns on standard error where a view or a table shows the role nothing, whatever it holds.
    ///
    /// - Parameters:
    ///   - relation: The view or table in which no row was found.
    ///   - models: The read models that were asked.
    ///   - reader: The role whose members see all rows.
    /// - Returns: Whether it warned.
    @discardableResult
    static func warn(
        of relation: String,
        _ models: ReadModels,
        reader: String = "recorder_analyst"
    ) async throws -> Bool {
        guard let role = try await models.roleWithoutRows(of: relation) else { return false }
        StandardError.line("recorder: nothing is shown: \(reason(of: role, reader: reader))")
        return true
    }

    /// Why a role sees nothing, and what to do.
    static func reason(of role: String, reader: String = "recorder_analyst") -> String {
        "row security shows the role \(role) the rows of the user for whom it acts, and it acts for nobody: connect as a role "
            + "that sees all, such as a member of \(reader)"
    }
}
