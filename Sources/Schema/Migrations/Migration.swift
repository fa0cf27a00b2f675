/// One step of the schema: a numbered pair of files, up and down.
package struct Migration: Sendable, Hashable {
    /// The direction of a step, which is also part of the file's name.
    enum Direction: String, Sendable {
        case up, down
    }

    /// The number in the file's name.
    package let version: Int
    /// The words in the file's name.
    package let name: String
    /// The SQL that makes the step.
    let up: String
    /// The SQL that takes it back.
    let down: String

    /// The file's name without `.up.sql`, such as `0003_events`.
    package var title: String { Self.title(version: version, name: name) }

    /// The step's file for a direction.
    func file(_ direction: Direction) -> String { "migrations/\(title).\(direction.rawValue).sql" }

    /// The step's SQL for a direction.
    func script(_ direction: Direction) -> String {
        switch direction {
        case .up: up
        case .down: down
        }
    }

    /// Refuses statements that would end the file's transaction: what ran before them could not be rolled back.
    ///
    /// - Parameter direction: Which of the two files.
    /// - Throws: ``SchemaError`` with code `.invalidFile`, the file and the line.
    func refuseTransactions(in direction: Direction) throws(SchemaError) {
        try SQLStatement.refuseTransactions(in: script(direction), file: file(direction))
    }

    static func title(version: Int, name: String) -> String {
        let digits = String(version)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "_" + name
    }

    /// The migrations in a set of files, by number.
    ///
    /// - Throws: ``SchemaError`` with code `.invalidFile` if a name does not follow `NNNN_name.up.sql`, two have the
    ///   same number, or one of a pair is missing.
    package static func all(in files: SQLFiles) throws(SchemaError) -> [Migration] {
        var halves: [String: (version: Int, name: String, up: String?, down: String?)] = [:]
        for (path, text) in files.files(in: "migrations") {
            guard let match = path.wholeMatch(of: #/([0-9]{4,9})_([a-z0-9_]+)\.(up|down)\.sql/#),
                let version = Int(match.1), version > 0
            else {
                throw SchemaError(
                    .invalidFile,
                    "migrations/\(path) in \(files.origin) is not named like 0001_name.up.sql or 0001_name.down.sql: rename it"
                )
            }
            var half = halves["\(match.1)_\(match.2)"] ?? (version, String(match.2), nil, nil)
            if match.3 == "up" { half.up = text } else { half.down = text }
            halves["\(match.1)_\(match.2)"] = half
        }
        var migrations: [Migration] = []
        for (title, half) in halves.sorted(by: { $0.value.version < $1.value.version }) {
            guard let up = half.up, let down = half.down else {
                throw SchemaError(
                    .invalidFile,
                    "migrations/\(title).\(half.up == nil ? "up" : "down").sql is missing in \(files.origin): each step has "
                        + "a file there and one back"
                )
            }
            if let last = migrations.last, last.version == half.version {
                throw SchemaError(
                    .invalidFile,
                    "migrations \(last.title) and \(title) in \(files.origin) have the same number: renumber the newer one"
                )
            }
            migrations.append(Migration(version: half.version, name: half.name, up: up, down: down))
        }
        return migrations
    }
}
