internal import Postgres

extension TableRepository {
    func findMany<Other: StoredRecord>(
        _ query: Query<Record>,
        with relation: Relation<Record, Other>,
        _ others: Query<Other>
    ) async throws -> Page<Related<Record, Other>> {
        try await context.call {
            guard others.after == nil else { throw PageCursor.invalid }
            let places = placeColumns(query)
            let rows = try await readPage(
                query,
                TextStatement(text: try joined(query, relation, others)) { [table] row throws(PostgresError) in
                    var column = 0
                    let number = try row.decode(Int.self, at: column)
                    column += 1
                    let record = try table.read(row, &column)
                    let place = try Self.place(row, from: column, count: places.count)
                    column += places.count
                    let isThere = try row.decode(Bool?.self, at: column) ?? false
                    column += 1
                    let other = isThere ? try Other.table.read(row, &column) : nil
                    return (number: number, record: record, place: place, other: other)
                }
            )
            var found: [(number: Int, record: Record, place: [String], others: [Other])] = []
            for row in rows {
                if found.last?.number != row.number { found.append((row.number, row.record, row.place, [])) }
                if let other = row.other { found[found.count - 1].others.append(other) }
            }
            let kept = found.prefix(query.boundedLimit)
            return Page(
                kept.map { Related(record: $0.record, others: $0.others) },
                next: next(query, isLast: found.count == kept.count, kept.last?.place)
            )
        }
    }

    /// The page's rows, numbered, each joined with the records that belong to it, which a lateral join looks up by key.
    private func joined<Other: StoredRecord>(
        _ query: Query<Record>,
        _ relation: Relation<Record, Other>,
        _ others: Query<Other>
    ) throws(DirectoryError) -> SQLText {
        let repository = TableRepository<Other>(context)
        let places = placeColumns(query)
        var text = SQLText("select record.number, \(table.list("record.")), ")
        text.add(places.map { "record.\($0.alias)" }.joined(separator: ", "))
        text.add(", other.is_there, \(Other.table.list("other.")) from (select \(table.list()), ")
        text.add(places.map { "\($0.sql) as \($0.alias)" }.joined(separator: ", "))
        text.add(", row_number() over (order by \(order(query))) as number from \(table.name)")
        try addPage(query, to: &text)
        text.add(") as record left join lateral (select true as is_there, \(Other.table.list()), ")
        text.add("row_number() over (order by \(repository.order(others))) as number from \(Other.table.name)")
        let hasConditions = repository.addConditions(of: others, to: &text)
        text.add("\(hasConditions ? " and" : " where") \(relation.far) = record.\(relation.near)")
        text.add(" order by \(repository.order(others)) limit ")
        text.add(BoundValue(others.boundedLimit))
        text.add(") as other on true order by record.number, other.number")
        return text
    }
}
