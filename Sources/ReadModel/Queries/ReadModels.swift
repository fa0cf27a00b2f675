package import Postgres

/// Queries what projections built from the log: sessions, turns, costs, audit and latencies.
///
/// What was not measured is nil, never 0. Money is exact. Times are microseconds.
public final class ReadModels: Sendable {
    let pool: PostgresPool

    /// Opens the read models of a database; connections are made when they are needed.
    ///
    /// - Parameters:
    ///   - url: A libpq connection string or URI.
    ///   - schema: The schema that the migrations were run in.
    ///   - answerTimeout: How long a query may take before its connection counts as lost and it fails with
    ///     `.unavailable`: a frozen server keeps its connections open and says nothing. Ten minutes unless given,
    ///     because a question about years of sessions may take long.
    public convenience init(
        url: String,
        schema: String = "recorder",
        answerTimeout: Duration = .seconds(600)
    ) {
        self.init(PostgresPool(PostgresConfiguration(url: url, schema: schema, answerTimeout: answerTimeout)))
    }

    /// - Parameter pool: Connections that have the schema first in their search path.
    package init(_ pool: PostgresPool) { self.pool = pool }

    /// Closes the connections.
    public func close() async { await pool.close() }

    /// Runs a query, and translates the database's errors to ``ReadModelError``.
    func rows<S: PostgresStatement>(_ statement: S) async throws -> [S.Row] {
        do {
            return try await pool.query(statement)
        } catch let error as PostgresError {
            throw ReadModelError(error)
        }
    }

    /// Runs several queries at one moment, and translates the database's errors to ``ReadModelError``.
    func reading<R: Sendable>(_ body: @Sendable (isolated PostgresConnection) async throws -> R) async throws -> R {
        do {
            return try await pool.transaction(isolation: .repeatableRead, readOnly: true, retries: 3, body)
        } catch let error as PostgresError {
            throw ReadModelError(error)
        }
    }

    /// Runs the same statement with many parameters in one transaction.
    ///
    /// - Returns: How many rows were touched.
    func execute(_ statements: [any PostgresStatement]) async throws -> Int {
        do {
            return try await pool.transaction { connection in
                try await connection.pipeline(statements).reduce(0, +)
            }
        } catch let error as PostgresError {
            throw ReadModelError(error)
        }
    }
}
