internal import Postgres

/// Compares the views of the same names in two schemas.
///
/// The views are the contract, not the tables: several workers may each have written a part of what a view shows as one
/// row. A view with a column `shard` shows such parts themselves, and is not compared.
struct ViewComparison {
    /// The schema with the views that were made from the log.
    let expected: String
    /// The schema with the views over the live tables.
    let found: String
    /// The recorder's schema.
    let recorder: String
    /// How many differences to show.
    let limit: Int
    /// The streams to compare, by the first column of each view; `nil` for all.
    var streams: [String]?

    /// Compares at the transaction's snapshot.
    func run(on connection: isolated PostgresConnection) async throws -> ModelComparison {
        var result = ModelComparison()
        let all = try await connection.query(SelectColumns(schemas: [expected, found]))
        for view in Set(all.map(\.view)).sorted() {
            let new = all.filter { $0.view == view && $0.schema == expected }.map(\.column)
            let old = all.filter { $0.view == view && $0.schema == found }.map(\.column)
            guard !new.contains("shard"), !old.contains("shard") else { continue }
            let common = new.filter(old.contains)
            result.uncompared += (new + old).filter { !common.contains($0) }.map { "\(view).\($0)" }
            guard !common.isEmpty else { continue }
            try await compare(view, columns: common, into: &result, on: connection)
        }
        return result
    }

    private func compare(
        _ view: String,
        columns: [String],
        into result: inout ModelComparison,
        on connection: isolated PostgresConnection
    ) async throws {
        let (new, old) = (relation(view, in: expected, columns), relation(view, in: found, columns))
        result.pastRetention += try await countPastRetention(view, on: connection)
        if let count = try await countIfEqual(new, old, columns: columns, on: connection) {
            result.rows.append((view, count))
            return
        }
        var key: [String]?
        for count in 1...columns.count where key == nil {
            let prefix = Array(columns.prefix(count))
            if try await isUnique(prefix, in: new, on: connection) { key = prefix }
        }
        // Where no key tells rows apart, equal rows are numbered.
        var isNumbered = key == nil
        if let key, !isNumbered { isNumbered = try await !isUnique(key, in: old, on: connection) }
        let names = key ?? columns
        let statement = CompareRows(
            expected: side(of: new, key: names, columns: columns, isNumbered: isNumbered),
            found: side(of: old, key: names, columns: columns, isNumbered: isNumbered),
            limit: limit
        )
        let rows = try await connection.query(statement)
        let count = try await connection.firstColumn(unsafeSQL: "select count(*) from \(new)").first
        result.rows.append((view, count.flatMap(Int.init) ?? 0))
        result.differenceCount += rows.first?.count ?? 0
        for row in rows where result.differences.count < limit {
            result.differences.append(row.difference(in: view, key: names, columns: columns))
        }
    }

    /// Compares all rows at once, by the sum of their hashes, at a fraction of the cost of looking at each.
    ///
    /// - Returns: How many rows there are; `nil` if they differ, or have columns that cannot be hashed.
    private func countIfEqual(
        _ new: String,
        _ old: String,
        columns: [String],
        on connection: isolated PostgresConnection
    ) async throws -> Int? {
        let columns = columns.map(Self.quoted).joined(separator: ", ")
        func figures(_ relation: String) -> String {
            "(select count(*) as rows, sum(hash_record_extended(whole, 0)) as hashes "
                + "from (select \(columns) from \(relation)) as whole)"
        }
        let comparison =
            "select new.rows from \(figures(new)) as new, \(figures(old)) as old "
            + "where (new.rows, new.hashes) is not distinct from (old.rows, old.hashes)"
        do {
            return try await connection.savepoint { connection in
                try await connection.firstColumn(unsafeSQL: comparison).first.flatMap(Int.init)
            }
        } catch let error as PostgresError where error.sqlState == "42883" {
            return nil
        }
    }

    /// Counts the log's rows of a view that retention may have deleted from the live model.
    private func countPastRetention(_ view: String, on connection: isolated PostgresConnection) async throws -> Int {
        guard let kept = RetentionLimit.condition(of: view, recorder: recorder) else { return 0 }
        let name = "\(Self.quoted(expected)).\(Self.quoted(view))"
        let count = try await connection.firstColumn(
            unsafeSQL: "select count(*) from \(name) as model where not (\(kept))"
        ).first
        return count.flatMap(Int.init) ?? 0
    }

    private func relation(_ view: String, in schema: String, _ columns: [String]) -> String {
        let expressions = columns.map(Self.quoted).map { column in
            "\(RetentionLimit.expression(for: column, of: view, recorder: recorder)) as \(column)"
        }
        var conditions = RetentionLimit.condition(of: view, recorder: recorder).map { [$0] } ?? []
        if let streams {
            let list = streams.map { "'\($0)'" }.joined(separator: ", ")
            conditions.append("model.\(Self.quoted(columns[0])) = any(array[\(list)]::uuid[])")
        }
        let condition = conditions.isEmpty ? "" : " where \(conditions.joined(separator: " and "))"
        return "(select \(expressions.joined(separator: ", ")) "
            + "from \(Self.quoted(schema)).\(Self.quoted(view)) as model\(condition)) as compared"
    }

    private func isUnique(
        _ columns: [String],
        in relation: String,
        on connection: isolated PostgresConnection
    ) async throws -> Bool {
        let key = columns.map { "\(Self.quoted($0))::text" }.joined(separator: ", ")
        return try await connection.text(
            unsafeSQL: "select 1 from \(relation) group by \(key) having count(*) > 1 limit 1"
        ).isEmpty
    }

    private func side(of relation: String, key: [String], columns: [String], isNumbered: Bool) -> String {
        func texts(_ names: [String]) -> String {
            "array[\(names.map { "\(Self.quoted($0))::text" }.joined(separator: ", "))]"
        }
        let number = isNumbered ? "row_number() over (partition by \(texts(key)) order by \(texts(columns)))" : "1"
        return "select \(texts(key)) as key, \(number) as number, \(texts(columns)) as texts from \(relation)"
    }

    private static func quoted(_ name: String) -> String { PostgresConfiguration.quotedIdentifier(name) }

    /// The columns of the views of some schemas, in their order.
    private struct SelectColumns: PostgresStatement {
        let schemas: [String]

        let sql = """
            select namespace.nspname::text, class.relname::text, attname::text
            from pg_attribute
            join pg_class class on class.oid = attrelid and class.relkind in ('v', 'm')
            join pg_namespace namespace on namespace.oid = class.relnamespace and namespace.nspname = any($1)
            where attnum > 0 and not attisdropped
            order by class.relname, namespace.nspname, attnum
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(schemas) }

        func decode(
            _ row: borrowing PostgresRow
        ) throws(PostgresError) -> (schema: String, view: String, column: String) {
            (try row.decode(at: 0), try row.decode(at: 1), try row.decode(at: 2))
        }
    }

    /// The first of the rows that differ, and how many differ in all.
    private struct CompareRows: PostgresStatement {
        let expected: String
        let found: String
        let limit: Int

        struct Row: Sendable {
            let count: Int
            let key: [String?]
            let expected: [String?]?
            let found: [String?]?

            func difference(in view: String, key names: [String], columns: [String]) -> RowDifference {
                let key = zip(names, self.key).map { RowDifference.Column(name: $0, expected: $1, found: $1) }
                guard let expected else { return RowDifference(view: view, kind: .extra, key: key, columns: []) }
                guard let found else { return RowDifference(view: view, kind: .missing, key: key, columns: []) }
                let changed = columns.indices.filter { expected[$0] != found[$0] }.map {
                    RowDifference.Column(name: columns[$0], expected: expected[$0], found: found[$0])
                }
                return RowDifference(view: view, kind: .changed, key: key, columns: changed)
            }
        }

        var sql: String {
            """
            with expected as (\(expected)), found as (\(found))
            select count(*) over (), coalesce(expected.key, found.key), expected.texts, found.texts
            from expected full join found using (key, number)
            where expected.texts is distinct from found.texts
            order by 2 limit \(limit)
            """
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Row {
            Row(
                count: try row.decode(at: 0),
                key: try row.decode(at: 1),
                expected: try row.decode(at: 2),
                found: try row.decode(at: 3)
            )
        }
    }
}
