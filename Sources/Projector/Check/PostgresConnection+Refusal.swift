internal import Postgres

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
