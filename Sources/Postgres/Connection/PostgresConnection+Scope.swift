package import Logging

extension PostgresConnection {
    /// Returns the current connection if it is open, and otherwise opens a new one.
    ///
    /// - Parameter current: The connection that was used last; `nil` if there is none.
    /// - Throws: As ``connect(_:logger:)``.
    package static func open(
        _ current: PostgresConnection?,
        _ configuration: PostgresConfiguration,
        logger: Logger
    ) async throws -> PostgresConnection {
        if let current, current.isOpen { return current }
        return try await connect(configuration, logger: logger)
    }

    /// Opens a connection for `body`, and closes it when `body` returns or throws.
    ///
    /// - Throws: As ``connect(_:logger:)``; what `body` throws.
    package static func with<R>(
        _ configuration: PostgresConfiguration,
        logger: Logger = Logger(label: "recorder.postgres"),
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        let connection = try await connect(configuration, logger: logger)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}
