/// Where a repository's calls run: each in a transaction of its own, or all in one that is open.
protocol RepositoryContext: Sendable {
    /// For whom.
    var acting: ActingUser { get }

    /// Reads rows as the acting user.
    ///
    /// - Throws: ``DirectoryError``; `CancellationError`.
    func rows<Row: Sendable>(_ statement: TextStatement<Row>) async throws -> [Row]

    /// Runs changes in a transaction that appends their events.
    ///
    /// - Throws: What `body` throws; ``DirectoryError``; `CancellationError`.
    func write<R: Sendable>(_ body: @Sendable (TransactionContext) async throws -> R) async throws -> R

    /// Runs one call of a repository with all that belongs to it, its arguments' checks among them.
    ///
    /// - Throws: What `body` throws; ``DirectoryError`` with `.transactionOver`.
    func call<R>(_ body: () async throws -> R) async throws -> R

    /// Notes in the acting user's stream that access to a resource was refused.
    func deny(_ resource: String) async throws
}

extension RepositoryContext {
    /// Where each call is a transaction of its own, there is nothing to keep of it.
    func call<R>(_ body: () async throws -> R) async throws -> R { try await body() }
}
