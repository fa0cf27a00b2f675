internal import EventModel
internal import Postgres

extension TableRepository: Repository where Record: StoredEntity {
    @discardableResult
    func create(_ draft: Record.Draft) async throws -> Record { try await createMany([draft])[0] }

    @discardableResult
    func createMany(_ drafts: [Record.Draft]) async throws -> [Record] {
        try await context.call {
            guard drafts.count <= Query<Record>.largestPage else { throw Self.tooMany }
            let user = context.acting.user
            let rows = drafts.map { Record.kind.row($0, of: user) }
            return try await context.write { transaction in
                let created = try await refusable("\(table.noun)/new", in: transaction) {
                    try await transaction.pipeline(rows.map { inserting($0) })
                }
                transaction.log.add(
                    zip(created, rows).map { record, row in
                        // Every event holds the id and the user anyway.
                        let set = row.filter { $0.column != "id" && $0.column != Record.kind.owner?.name }
                        return ChangeEvent(Record.kind.creation, record, user, set)
                    }
                )
                return created
            }
        }
    }

    @discardableResult
    func update(
        _ id: Record.ID,
        version: Int,
        _ changes: (Record.Settable) -> [Assignment<Record>]
    ) async throws -> Record {
        try await context.call {
            let assignments = try checked(changes(Record.settable))
            let columns = Set(assignments.map(\.column))
            return try await change(id, version: version, isDeleted: false) { text in
                Self.add(assignments, to: &text)
            } telling: { record, user in
                ChangeEvent(Record.kind.update(record, columns), record, user, assignments)
            }
        }
    }

    @discardableResult
    func updateMany(_ query: Query<Record>, _ changes: (Record.Settable) -> [Assignment<Record>]) async throws -> Int {
        try await context.call {
            let assignments = try checked(changes(Record.settable))
            let columns = Set(assignments.map(\.column))
            // Rows are locked in id order, so that two updates of the same rows cannot deadlock.
            var text = SQLText("with target as materialized (select id as target_id from \(table.name)")
            addConditions(of: query, to: &text)
            text.add(" order by id limit \(Query<Record>.largestPage + 1) for update) update \(table.name) set ")
            Self.add(assignments, to: &text)
            text.add(" from target where id = target_id returning \(table.list())")
            let statement = returningRecords(text)
            return try await context.write { transaction in
                let records = try await refusable("\(table.noun)/many", in: transaction) {
                    try await transaction.rows(statement)
                }
                guard records.count <= Query<Record>.largestPage else { throw Self.tooMany }
                let user = transaction.acting.user
                transaction.log.add(
                    records.map { ChangeEvent(Record.kind.update($0, columns), $0, user, assignments) }
                )
                return records.count
            }
        }
    }

    @discardableResult
    func delete(_ id: Record.ID, version: Int?) async throws -> Record {
        try await change(id, version: version, isDeleted: false) {
            $0.add("deleted_at = clock_timestamp()")
        } telling: {
            ChangeEvent("deleted", $0, $1)
        }
    }

    @discardableResult
    func restore(_ id: Record.ID) async throws -> Record {
        try await change(id, version: nil, isDeleted: true) {
            $0.add("deleted_at = null")
        } telling: {
            ChangeEvent("restored", $0, $1)
        }
    }

    func hardDelete(_ id: Record.ID) async throws {
        try await context.call {
            var text = SQLText("delete from \(table.name) where ")
            table.add(id, to: &text)
            text.add(" returning \(table.list())")
            let statement = returningRecords(text)
            try await context.write { transaction in
                let deleted = try await refusable(table.resource(id), in: transaction) {
                    try await transaction.rows(statement)
                }
                guard let record = deleted.first else {
                    try await transaction.deny(table.resource(id))
                    throw DirectoryError.notFound(table.resource(id))
                }
                transaction.log.add([ChangeEvent("erased", record, transaction.acting.user)])
            }
        }
    }

    // MARK: Parts

    /// Changes one row if its version and deletion state are as expected, and notes its event.
    private func change(
        _ id: Record.ID,
        version: Int?,
        isDeleted: Bool,
        setting: (inout SQLText) -> Void,
        telling event: @Sendable (Record, StreamID) -> ChangeEvent
    ) async throws -> Record {
        try await context.call {
            var text = SQLText("update \(table.name) set ")
            setting(&text)
            text.add(" where ")
            table.add(id, to: &text)
            text.add(" and deleted_at is \(isDeleted ? "not " : "")null")
            if let version {
                text.add(" and version = ")
                text.add(BoundValue(version))
            }
            text.add(" returning \(table.list())")
            let statement = returningRecords(text)
            return try await context.write { transaction in
                let changed = try await refusable(table.resource(id), in: transaction) {
                    try await transaction.rows(statement)
                }
                guard let record = changed.first else {
                    throw try await reason(id, version: version, isDeleted: isDeleted, in: transaction)
                }
                transaction.log.add([event(record, transaction.acting.user)])
                return record
            }
        }
    }

    /// Why no row was changed: the acting user has no such row, or it is not as expected.
    private func reason(
        _ id: Record.ID,
        version: Int?,
        isDeleted: Bool,
        in transaction: TransactionContext
    ) async throws -> DirectoryError {
        var text = SQLText("select \(table.list()) from \(table.name) where ")
        table.add(id, to: &text)
        guard let record = try await transaction.rows(returningRecords(text)).first else {
            try await transaction.deny(table.resource(id))
            return .notFound(table.resource(id))
        }
        guard let version, (record.deletedAt != nil) == isDeleted else { return .notFound(table.resource(id)) }
        return .stale(table.resource(id), expected: version, found: record.version)
    }

    /// Runs a change, and notes it if the database refuses it to the acting user.
    private func refusable<R: Sendable>(
        _ resource: String,
        in transaction: TransactionContext,
        _ body: () async throws -> R
    ) async throws -> R {
        do {
            return try await body()
        } catch let error as DirectoryError where error.code == .denied {
            try await transaction.deny(resource)
            throw error
        }
    }

    private func inserting(_ row: [Assignment<Record>]) -> TextStatement<Record> {
        var text = SQLText("insert into \(table.name) (\(row.map(\.column).joined(separator: ", "))) values (")
        text.add(row, separator: ", ") { $0.add($1.value) }
        text.add(") returning \(table.list())")
        return returningRecords(text)
    }

    /// A statement whose rows are records.
    private func returningRecords(_ text: SQLText) -> TextStatement<Record> {
        TextStatement(text: text) { [table] row throws(PostgresError) in
            var place = 0
            return try table.read(row, &place)
        }
    }

    private static func add(_ assignments: [Assignment<Record>], to text: inout SQLText) {
        text.add(assignments, separator: ", ") { text, assignment in
            text.add("\(assignment.column) = ")
            text.add(assignment.value)
        }
    }

    private func checked(_ assignments: [Assignment<Record>]) throws(DirectoryError) -> [Assignment<Record>] {
        guard !assignments.isEmpty else {
            throw DirectoryError(.invalid, "an update of \(table.noun) sets at least one column")
        }
        guard Set(assignments.map(\.column)).count == assignments.count else {
            throw DirectoryError(.invalid, "an update of \(table.noun) sets each column once")
        }
        return assignments
    }

    private static var tooMany: DirectoryError {
        DirectoryError(
            .tooMany,
            "one call changes at most \(Query<Record>.largestPage) rows: narrow the query, or change them in parts"
        )
    }
}
