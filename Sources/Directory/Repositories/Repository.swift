/// Reads the acting user's records of one kind; to them, other users' records do not exist.
public protocol ReadRepository<Record>: Sendable {
    /// The kind of record.
    associatedtype Record: StoredRecord

    /// The record with an id.
    ///
    /// Asking for a record that does not exist, or is another user's, is noted in the acting user's stream as
    /// `access.denied`. The answer is the same in both cases.
    ///
    /// - Parameter deleted: Whether a deleted row is seen.
    /// - Returns: nil if this user has no such record.
    /// - Throws: ``DirectoryError``; `CancellationError`. So do all calls.
    func find(_ id: Record.ID, deleted: DeletedRows) async throws -> Record?

    /// The first record that the query finds.
    func findOne(_ query: Query<Record>) async throws -> Record?

    /// A page of records.
    func findMany(_ query: Query<Record>) async throws -> Page<Record>

    /// A page of records, each with the first of the other records that belong to it, in one query.
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
/// Each changed row appends its event to the user's stream in the same transaction. A change of a row that is not
/// theirs is refused with ``DirectoryError/Code/notFound``, and noted as `access.denied`.
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
    ///   - version: The version that the caller has read, so that a later change by someone else is not overwritten.
    ///   - changes: What to set, such as `{ [$0.status.set(.processing)] }`.
    /// - Returns: The entity as it is now.
    /// - Throws: ``DirectoryError`` with `.stale`, `.notFound`, `.conflict` or `.invalid`.
    @discardableResult
    func update(
        _ id: Record.ID,
        version: Int,
        _ changes: (Record.Settable) -> [Assignment<Record>]
    ) async throws -> Record

    /// Sets some columns of all entities that the query finds, all or none; the query's order, limit and cursor are
    /// ignored.
    ///
    /// - Returns: How many were changed.
    /// - Throws: ``DirectoryError`` with `.tooMany` for more than ``Query/largestPage``, `.conflict` or `.invalid`.
    @discardableResult
    func updateMany(_ query: Query<Record>, _ changes: (Record.Settable) -> [Assignment<Record>]) async throws -> Int

    /// Deletes an entity so that it can be restored.
    ///
    /// - Parameter version: The version that the caller has read; nil to delete whatever was changed since.
    /// - Throws: ``DirectoryError`` with `.stale` or `.notFound`.
    @discardableResult
    func delete(_ id: Record.ID, version: Int?) async throws -> Record

    /// Removes an entity's row.
    ///
    /// - Throws: ``DirectoryError`` with `.notFound`, or `.inUse` while other rows belong to it.
    func hardDelete(_ id: Record.ID) async throws

    /// Restores a soft-deleted entity.
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
