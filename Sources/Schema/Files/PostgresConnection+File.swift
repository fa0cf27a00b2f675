internal import Postgres

extension PostgresConnection {
    /// Runs a file in the open transaction.
    ///
    /// - Parameters:
    ///   - script: The file's text.
    ///   - file: Its path, for messages.
    /// - Throws: ``SchemaError`` with `.failed`, the file, the line if the server
    ///   names a place in it, and the server's words.
    func run(unsafeSQL script: String, ofFile file: String) async throws {
        do {
            try await run(unsafeSQL: script)
        } catch let error as PostgresError where error.code == .server && !error.isLockTimeout {
            let line = error.position.map { position in
                ":\(1 + script.unicodeScalars.prefix(position - 1).count { $0 == "\n" })"
            }
            throw SchemaError(.failed, "\(file)\(line ?? "") failed and was rolled back: \(error)", cause: error)
        }
    }
}
