internal import Postgres

/// Everything in a schema that migrations can make, as lines of text that can be compared between schemas.
struct SchemaDescription: Sendable {
    /// A table, function, view … and what it consists of.
    struct Object: Sendable, Hashable {
        /// What it is and its name, such as `table events`.
        let title: String
        /// Its columns, constraints, indexes, triggers, privileges …, sorted.
        let lines: [String]
    }

    /// All but partitions, by title.
    let objects: [String: Object]
    /// Partitions by the title of their parent: they come and go with time, but each has to be like the others.
    let partitions: [String: [Object]]

    /// Describes a schema.
    ///
    /// - Parameters:
    ///   - schema: The schema.
    ///   - names: Names of schemas that count as the same: each of them is written as `«schema»`.
    ///   - connection: In a transaction whose `search_path` is the schema.
    static func of(
        _ schema: String,
        names: [String],
        on connection: isolated PostgresConnection
    ) async throws -> SchemaDescription {
        var lines: [String: [String]] = [:]
        var parents: [String: String] = [:]
        for row in try await connection.query(SelectLines(schema: schema, names: names)) {
            lines[row.title, default: []].append(row.line)
            if let parent = row.parent { parents[row.title] = parent }
        }
        let all = lines.map { Object(title: $0.key, lines: $0.value.sorted()) }
        return SchemaDescription(
            objects: Dictionary(uniqueKeysWithValues: all.filter { parents[$0.title] == nil }.map { ($0.title, $0) }),
            partitions: Dictionary(grouping: all.filter { parents[$0.title] != nil }) { parents[$0.title] ?? "" }
        )
    }

    /// How another description differs from this one.
    ///
    /// - Parameter real: The schema as it is; this one is what it should be.
    /// - Returns: A sentence for each object that differs, sorted.
    func differences(in real: SchemaDescription) -> [String] {
        var differences: [String] = []
        for title in Set(objects.keys).union(real.objects.keys).sorted() {
            switch (objects[title], real.objects[title]) {
            case (let expected?, let found?):
                if let change = Self.change(from: expected, to: found) { differences.append("\(title): \(change)") }
            case (.some, nil): differences.append("\(title) is missing")
            default: differences.append("\(title) was made by no migration or projection")
            }
        }
        for (parent, found) in real.partitions.sorted(by: { $0.key < $1.key }) {
            // Compared with the most similar one: a default partition may differ from the others.
            let expected = partitions[parent] ?? []
            for partition in found.sorted(by: { $0.title < $1.title }) {
                let changes = expected.map { Self.change(from: $0, to: partition) }
                guard !changes.contains(nil) else { continue }
                let least = changes.compactMap { $0 }.min { $0.count < $1.count }
                differences.append("\(partition.title): \(least ?? "\(parent) should have no partitions")")
            }
        }
        return differences
    }

    private static func change(from expected: Object, to found: Object) -> String? {
        let lost = Set(expected.lines).subtracting(found.lines).sorted().map { "lacks \($0)" }
        let gained = Set(found.lines).subtracting(expected.lines).sorted().map { "has \($0)" }
        return lost.isEmpty && gained.isEmpty ? nil : (lost + gained).joined(separator: "; ")
    }
}
