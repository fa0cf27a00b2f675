package import Logging

extension PostgresPool {
    /// Creates a pool for `body`, and closes it when `body` returns or throws.
    ///
    /// - Throws: What `body` throws.
    package static func with<R>(
        _ configuration: PostgresConfiguration,
        limits: Limits = Limits(),
        logger: Logger = Logger(label: "recorder.postgres"),
        _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        let pool = PostgresPool(configuration, limits: limits, logger: logger)
        do {
            let result = try await body(pool)
            await pool.close()
            return result
        } catch {
            await pool.close()
            throw error
        }
    }
}
