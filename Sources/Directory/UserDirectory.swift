public import EventModel

package import Postgres

/// The users of a voice system, with their models and documents, in one schema of a PostgreSQL database.
///
/// Everything is done for one user at a time: ``acting(for:)`` gives the repositories that see his rows and no other's.
public final class UserDirectory: Sendable {
    private let pool: PostgresPool

    /// Opens the directory of a database; connections are made when they are needed.
    ///
    /// - Parameters:
    ///   - url: A libpq connection string or URI. Its login is a member of `recorder_service`.
    ///   - schema: The schema that the migrations were run in.
    ///   - connections: The most connections at a time.
    public convenience init(url: String, schema: String = "recorder", connections: Int = 8) {
        self.init(
            PostgresPool(
                PostgresConfiguration(url: url, schema: schema),
                limits: PostgresPool.Limits(size: connections)
            )
        )
    }

    /// - Parameter pool: Its connections' search path has the schema first.
    package init(_ pool: PostgresPool) { self.pool = pool }

    /// Closes the connections.
    public func close() async { await pool.close() }

    /// The repositories of one user.
    public func acting(for user: ActingUser) -> Repositories {
        Repositories(context: PooledContext(pool: pool, acting: user))
    }

    /// The repositories of one user, who acts himself.
    public func acting(for user: StreamID) -> Repositories { acting(for: ActingUser(user)) }
}
