/// Reads records of one kind that belong to the acting user; nobody else's are there for them.
public protocol ReadRepository<Record>: Sendable {
    /// What is read.
    associatedtype Record: StoredRecord

    /// The record with an id.
    ///
    /// Asking for what is not the acting user's, or is nowhere, is noted in their stream as `access.denied`: the answer
    /// is the same, and nothing tells the one from the other.
    ///
    /// - Parameter deleted: Whether a deleted row is seen.
    /// - Returns: nil if it is not there for this user.
    /// - Throws: ``DirectoryError``; `CancellationError`. So do all calls.
    func find(_ id: Record.ID, deleted: DeletedRows) async throws -> Record?

    /// The first record that the query finds.
    func findOne(_ query: Query<Record>) async throws -> Record?

    /// A page of records.
    func findMany(_ query: Query<Record>) async throws -> Page<Record>

    /// A page of records, each with the first of those that belong to it, in one query.
    ///
    /// - Parameters:
    ///   - others: Which of the other records, in which order, and how many of them for each record.
    func findMany<Other: StoredRecord>(
        _ query: Query<Record>,
        with relation: Relation<Record, Other>,
        _ others: Query<Other>
    ) async throws -> Page<Related<Record, Other>>

    /// A page of rows that hold the named columns only.
    func select<each Value: ColumnValue>(
        _ query: Query<Record>,
        _ columns: @Sendable (Record.Columns) -> (repeat Column<Record, each Value>)
    ) async throws -> Page<(repeat each Value)>

    /// How many records the query finds, on all its pages.
    func count(_ query: Query<Record>) async throws -> Int

    /// Whether the query finds a record.
    func exists(_ query: Query<Record>) async throws -> Bool
}

extension ReadRepository {
    /// The record with an id, unless it is deleted.
    public func find(_ id: Record.ID) async throws -> Record? { try await find(id, deleted: .hidden) }

    /// The first page of all records.
    public func findMany() async throws -> Page<Record> { try await findMany(Query()) }

    /// How many records there are.
    public func count() async throws -> Int { try await count(Query()) }
}

/// Reads and changes entities of one kind that belong to the acting user.
///
/// Each changed row appends its event to the user's stream in the same transaction. A change of what is not theirs is
/// refused as ``DirectoryError/Code/notFound``, and noted as `access.denied`.
public protocol Repository<Record>: ReadRepository where Record: StoredEntity {
    /// Makes an entity.
    ///
    /// - Throws: ``DirectoryError`` with `.conflict` or `.invalid`.
    @discardableResult
    func create(_ draft: Record.Draft) async throws -> Record

    /// Makes several entities, all or none.
    ///
    /// - Throws: ``DirectoryError`` with `.tooMany` for more than ``Query/largestPage``, `.conflict` or `.invalid`.
    @discardableResult
    func createMany(_ drafts: [Record.Draft]) async throws -> [Record]

    /// Sets some columns of an entity.
    ///
    /// - Parameters:
    ///   - version: The version that the caller has read: a change that somebody else made since is not undone.
    ///   - changes: What to set, such as `{ [$0.status.set(.processing)] }`.
    /// - Returns: The entity as it is now.
    /// - Throws: ``DirectoryError`` with `.stale`, `.notFound`, `.conflict` or `.invalid`.
    @discardableResult
    func update(
        _ id: Record.ID,
        version: Int,
        _ changes: (Record.Settable) -> [Assignment<Record>]
    ) async throws -> Record

    /// Sets some columns of all entities that the query finds, all or none; its order, limit and cursor say nothing
    /// here.
    ///
    /// - Returns: How many were changed.
    /// - Throws: ``DirectoryError`` with `.tooMany` for more than ``Query/largestPage``, `.conflict` or `.invalid`.
    @discardableResult
    func updateMany(_ query: Query<Record>, _ changes: (Record.Settable) -> [Assignment<Record>]) async throws -> Int

    /// Deletes an entity so that it can be restored.
    ///
    /// - Parameter version: The version that the caller has read; nil whatever was changed since.
    /// - Throws: ``DirectoryError`` with `.stale` or `.notFound`.
    @discardableResult
    func delete(_ id: Record.ID, version: Int?) async throws -> Record

    /// Removes an entity's row.
    ///
    /// - Throws: ``DirectoryError`` with `.notFound`, or `.inUse` while other rows belong to it.
    func hardDelete(_ id: Record.ID) async throws

    /// Takes a deletion back.
    ///
    /// - Throws: ``DirectoryError`` with `.notFound` if it is not deleted.
    @discardableResult
    func restore(_ id: Record.ID) async throws -> Record
}

extension Repository {
    /// Deletes an entity so that it can be restored, whatever was changed since it was read.
    @discardableResult
    public func delete(_ id: Record.ID) async throws -> Record { try await delete(id, version: nil) }
}
