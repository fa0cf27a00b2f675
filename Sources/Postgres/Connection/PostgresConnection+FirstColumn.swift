extension PostgresConnection {
    /// Runs a script and returns the first column of its last result as text, without the rows where it is NULL.
    ///
    /// - Parameter unsafeSQL: Sent as it is; never build it from input.
    /// - Throws: As ``text(unsafeSQL:)``.
    package func firstColumn(unsafeSQL script: String) async throws -> [String] {
        try await text(unsafeSQL: script).compactMap { row in row.first ?? nil }
    }
}
