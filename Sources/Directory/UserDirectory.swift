public import EventModel
public import EventStore

package import Postgres

/// The users of a voice system, with their models and documents, in one schema of a PostgreSQL database.
///
/// Everything is done for one user at a time: ``acting(for:)`` gives the repositories that see only that user's rows.
public final class UserDirectory: Sendable {
    private let pool: PostgresPool
    private let sealer: OwnEventSealer

    /// Opens the directory of a database; connections are made when they are needed.
    ///
    /// - Parameters:
    ///   - url: A libpq connection string or URI. Its login is a member of `recorder_service`.
    ///   - schema: The schema that the migrations were run in.
    ///   - connections: The most connections at a time; fewer than 1 count as 1.
    ///   - keys: The key-encryption keys, for a log whose personal fields are sealed: events carry the actor's address
    ///     and program.
    public convenience init(
        url: String,
        schema: String = "recorder",
        connections: Int = 8,
        keys: SealingKeys = .none
    ) {
        self.init(
            PostgresPool(
                PostgresConfiguration(url: url, schema: schema, answerTimeout: .seconds(60)),
                limits: PostgresPool.Limits(size: connections)
            ),
            keys: keys
        )
    }

    /// - Parameters:
    ///   - pool: Its connections' search path has the schema first.
    ///   - keys: The key-encryption keys, for a log whose personal fields are sealed.
    package init(_ pool: PostgresPool, keys: SealingKeys = .none) {
        self.pool = pool
        sealer = OwnEventSealer(keys: keys)
    }

    /// Closes the connections.
    public func close() async { await pool.close() }

    /// The repositories of one user.
    public func acting(for user: ActingUser) -> Repositories {
        Repositories(context: PooledContext(pool: pool, sealer: sealer, acting: user))
    }

    /// The repositories of one user, who acts in person.
    public func acting(for user: StreamID) -> Repositories { acting(for: ActingUser(user)) }
}
