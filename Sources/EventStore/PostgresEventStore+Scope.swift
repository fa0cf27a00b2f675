package import Logging
package import Postgres

extension PostgresEventStore {
    /// Opens a store for `body`, and closes it when `body` returns or throws.
    ///
    /// - Parameters:
    ///   - configuration: The database; its schema is the one that the migrations were run in, by default `recorder`.
    ///   - keys: The key-encryption keys, for a log whose personal fields are sealed.
    ///   - limits: The bounds of the pool that reads use.
    /// - Throws: What `body` throws.
    package static func with<R>(
        _ configuration: PostgresConfiguration,
        keys: SealingKeys = .none,
        limits: PostgresPool.Limits = .init(),
        logger: Logger = Logger(label: "recorder.store"),
        _ body: (PostgresEventStore) async throws -> R
    ) async throws -> R {
        let store = PostgresEventStore(configuration, keys: keys, limits: limits, logger: logger)
        do {
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }
}
