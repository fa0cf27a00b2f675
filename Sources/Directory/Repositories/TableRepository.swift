internal import EventModel
internal import Postgres

/// The repository of a table or view. All records can be read; entities can also be changed.
///
/// The database's row-level security, not this type, decides which rows the acting user sees.
struct TableRepository<Record: StoredRecord>: ReadRepository {
    let context: any RepositoryContext

    var table: Table<Record> { Record.table }

    init(_ context: any RepositoryContext) { self.context = context }

    func find(_ id: Record.ID, deleted: DeletedRows) async throws -> Record? {
        try await context.call {
            var text = SQLText("select \(table.list()), ")
            text.add(table.deletedAt.map { "\($0) is not null" } ?? "false")
            text.add(" from \(table.name) where ")
            table.add(id, to: &text)
            let rows = try await context.rows(
                TextStatement(text: text) { [table] row throws(PostgresError) in
                    var place = 0
                    let record = try table.read(row, &place)
                    return (record: record, isDeleted: try row.decode(Bool.self, at: place))
                }
            )
            guard let row = rows.first else {
                try await context.deny(table.resource(id))
                return nil
            }
            let isSeen =
                switch deleted {
                case .hidden: !row.isDeleted
                case .included: true
                case .only: row.isDeleted
                }
            return isSeen ? row.record : nil
        }
    }

    func findOne(_ query: Query<Record>) async throws -> Record? {
        var query = query
        query.limit = 1
        return try await findMany(query).items.first
    }

    func findMany(_ query: Query<Record>) async throws -> Page<Record> {
        try await page(query, columns: table.list(), table.read)
    }

    func select<each Value: ColumnValue>(
        _ query: Query<Record>,
        _ columns: @Sendable (Record.Columns) -> (repeat Column<Record, each Value>)
    ) async throws -> Page<(repeat each Value)> {
        let chosen = columns(Record.columns)
        var names: [String] = []
        repeat names.append((each chosen).name)
        return try await page(query, columns: names.joined(separator: ", ")) { (row, place) throws(PostgresError) in
            (repeat try (each chosen).read(row, &place))
        }
    }

    func count(_ query: Query<Record>) async throws -> Int {
        try await context.call {
            var text = SQLText("select count(*) from \(table.name)")
            addConditions(of: query, to: &text)
            let statement = TextStatement(text: text) { row throws(PostgresError) in try row.decode(Int.self, at: 0) }
            return try await context.rows(statement)[0]
        }
    }

    func exists(_ query: Query<Record>) async throws -> Bool {
        try await context.call {
            var text = SQLText("select exists (select from \(table.name)")
            addConditions(of: query, to: &text)
            text.add(")")
            let statement = TextStatement(text: text) { row throws(PostgresError) in try row.decode(Bool.self, at: 0) }
            return try await context.rows(statement)[0]
        }
    }

    // MARK: Pages

    /// Reads a page and one more row, which tells whether there is another page.
    private func page<Item: Sendable>(
        _ query: Query<Record>,
        columns: String,
        _ read: @escaping @Sendable (borrowing PostgresRow, inout Int) throws(PostgresError) -> Item
    ) async throws -> Page<Item> {
        try await context.call {
            let places = placeColumns(query).map { "\($0.sql) as \($0.alias)" }
            var text = SQLText("select \(columns), \(places.joined(separator: ", ")) from \(table.name)")
            try addPage(query, to: &text)
            let rows = try await readPage(
                query,
                TextStatement(text: text) { row throws(PostgresError) in
                    var place = 0
                    let item = try read(row, &place)
                    return (item: item, place: try Self.place(row, from: place, count: places.count))
                }
            )
            let items = rows.prefix(query.boundedLimit)
            return Page(items.map(\.item), next: next(query, isLast: rows.count == items.count, items.last?.place))
        }
    }

    /// Reads a row's values of the sort column and the key, as text.
    static func place(
        _ row: borrowing PostgresRow,
        from first: Int,
        count: Int
    ) throws(PostgresError) -> [String] {
        var values: [String] = []
        for column in first..<(first + count) { values.append(try row.decode(at: column)) }
        return values
    }

    /// The cursor of the next page; nil if this is the last.
    func next(_ query: Query<Record>, isLast: Bool, _ place: [String]?) -> PageCursor? {
        guard !isLast, let place else { return nil }
        return PageCursor(order: sort(query).name, values: place)
    }

    /// Runs a page's statement; if it has a cursor and the server rejects a value, the cursor is invalid.
    func readPage<Row: Sendable>(_ query: Query<Record>, _ statement: TextStatement<Row>) async throws -> [Row] {
        do {
            return try await context.rows(statement)
        } catch let error as DirectoryError where error.code == .invalid && query.after != nil {
            throw PageCursor.invalid
        }
    }

    func sort(_ query: Query<Record>) -> Sort<Record> { query.sort ?? table.sort }

    /// The columns that a row's cursor is made of, as text.
    func placeColumns(_ query: Query<Record>) -> [(sql: String, alias: String)] {
        ([sort(query).column] + table.key.map(\.name)).enumerated().map { ("\($1)::text", "place_\($0)") }
    }

    /// The order of a page's rows.
    func order(_ query: Query<Record>) -> String {
        let sort = sort(query)
        let names = [sort.column] + table.key.map(\.name).filter { $0 != sort.column }
        return names.map { sort.isDescending ? "\($0) desc" : $0 }.joined(separator: ", ")
    }

    /// Adds conditions, order and limit of a page; the limit is one more than the page holds.
    func addPage(_ query: Query<Record>, to text: inout SQLText) throws(DirectoryError) {
        let conditions = addConditions(of: query, to: &text)
        if let after = query.after {
            let sort = sort(query)
            let parts = [(name: sort.column, type: sort.type)] + table.key
            guard after.order == sort.name, after.values.count == parts.count else { throw PageCursor.invalid }
            text.add(conditions ? " and (" : " where (")
            text.add(parts.map(\.name).joined(separator: ", "))
            text.add(sort.isDescending ? ") < (" : ") > (")
            text.add(zip(parts, after.values), separator: ", ") { text, part in
                text.add(BoundValue(part.1))
                text.add("::text::\(part.0.type)")
            }
            text.add(")")
        }
        // A parameter, not part of the SQL, so that each page size does not need a prepared statement of its own.
        text.add(" order by \(order(query)) limit ")
        text.add(BoundValue(query.boundedLimit + 1))
    }

    /// Adds the query's conditions.
    ///
    /// - Returns: Whether there was a condition.
    @discardableResult
    func addConditions(of query: Query<Record>, to text: inout SQLText) -> Bool {
        var hasConditions = false
        if let deletedAt = table.deletedAt, query.deleted != .included {
            text.add(" where \(deletedAt) is \(query.deleted == .only ? "not " : "")null")
            hasConditions = true
        }
        if let filter = query.filter {
            text.add(hasConditions ? " and " : " where ")
            filter.write(&text)
            hasConditions = true
        }
        return hasConditions
    }
}
