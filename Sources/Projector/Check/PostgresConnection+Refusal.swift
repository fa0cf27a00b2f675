internal import Postgres

extension PostgresConnection {
    /// Runs a script in the open transaction, and undoes it if the server refuses it.
    ///
    /// - Returns: The server's error; `nil` if the script ran, and then its effects stay.
    func refusal(of script: String) async throws -> PostgresError? {
        do {
            try await savepoint { connection in try await connection.run(unsafeSQL: script) }
            return nil
        } catch let error as PostgresError where error.code == .server {
            return error
        }
    }
}
