/// Where a repository's calls run: each in a transaction of its own, or all in one that is open.
protocol RepositoryContext: Sendable {
    /// The user that calls are made for.
    var acting: ActingUser { get }

    /// Reads rows as the acting user.
    ///
    /// - Throws: ``DirectoryError``; `CancellationError`.
    func rows<Row: Sendable>(_ statement: TextStatement<Row>) async throws -> [Row]

    /// Runs changes in a transaction that appends their events.
    ///
    /// - Throws: What `body` throws; ``DirectoryError``; `CancellationError`.
    func write<R: Sendable>(_ body: @Sendable (TransactionContext) async throws -> R) async throws -> R

    /// Runs one whole call of a repository, including the checks of its arguments.
    ///
    /// - Throws: What `body` throws; ``DirectoryError`` with `.transactionOver`.
    func call<R>(_ body: () async throws -> R) async throws -> R

    /// Notes in the acting user's stream that access to a resource was refused.
    func deny(_ resource: String) async throws
}

extension RepositoryContext {
    /// Only runs `body`: where each call is its own transaction, nothing has to be remembered about it.
    func call<R>(_ body: () async throws -> R) async throws -> R { try await body() }
}
