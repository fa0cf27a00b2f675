extension PostgresConnection {
    /// Runs a script and returns the first column of its last result as text, leaving out NULLs.
    ///
    /// - Parameter unsafeSQL: Sent as it is; never build it from input.
    /// - Throws: As ``text(unsafeSQL:)``.
    package func firstColumn(unsafeSQL script: String) async throws -> [String] {
        try await text(unsafeSQL: script).compactMap { row in row.first ?? nil }
    }
}
