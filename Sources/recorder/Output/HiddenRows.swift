import ReadModel

/// Says that row security, and not the log, is why nothing is shown.
enum HiddenRows {
    /// Warns on standard error where a view shows the role nothing, whatever it holds.
    ///
    /// - Parameters:
    ///   - view: The view of which no row was found.
    ///   - models: Where it was looked for.
    static func warn(of view: String, _ models: ReadModels) async throws {
        guard let role = try await models.roleWithoutRows(of: view) else { return }
        StandardError.line("recorder: nothing is shown: \(reason(of: role))")
    }

    /// Why a role sees nothing, and what to do.
    static func reason(of role: String) -> String {
        "row security shows the role \(role) the rows of the user for whom it acts, and it acts for nobody: connect as a role "
            + "that sees all, such as a member of recorder_analyst"
    }
}
