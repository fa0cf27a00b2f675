/// One version of a projection, read from its folder `projections/<name>/v<k>/`: `table.sql`, `apply.sql` and
/// `view.sql`, and `erase.sql` if its tables hold personal data.
package struct ProjectionFiles: Sendable, Hashable {
    /// A column of `batch` that the header declares.
    package struct Column: Sendable, Hashable {
        /// The column's name in `batch`.
        package let name: String
        package let type: FieldType
        /// Where the value lies in the event.
        package let path: FieldPath
    }

    /// The columns that every `batch` has, in their order, and their types.
    package static let commonColumns = [
        (name: "position", type: "bigint"), (name: "stream_id", type: "uuid"), (name: "version", type: "integer"),
        (name: "event_id", type: "uuid"), (name: "type", type: "text"), (name: "occurred_at", type: "timestamptz"),
        (name: "recorded_at", type: "timestamptz"),
    ]

    package let id: ProjectionVersion
    package var name: String { id.name }
    package var version: Int { id.version }
    /// Where its files are, for messages, such as `projections/conversation_turns/v1`.
    let folder: String
    /// Event types, `noun.*` for all of a noun, or `*` for all.
    package let handles: [String]
    /// The types among them from whose events the declared columns are read.
    package let reads: [String]
    /// The declared columns, in their order.
    package let columns: [Column]
    /// Whether every row of its tables and views belongs to one stream and is made of that stream's events alone; the
    /// stream's id is then the first column of each view. Declared as `-- key: stream`.
    package let isKeyedByStream: Bool
    /// The most shards that its streams may be spread over: fewer if streams share rows that only one worker can write
    /// at a time. Declared as `-- shards: 1`; `nil` for as many as the projector has.
    package let mostShards: Int?
    /// Makes the tables; run once.
    package let tableSQL: String
    /// Creates or replaces the views that have no version in their names.
    package let viewSQL: String
    /// The declared columns that are personal. Declared as `-- personal: user_transcript, llm_response`.
    package let personal: [String]
    /// Blanks their values for the events in the relation `erased` (position, stream_id, version, event_id, type); run
    /// in an erasure's transaction, any number of times. `nil` if nothing is personal.
    package let eraseSQL: String?
    /// The statements of `apply.sql`, in their order, each with the relation `batch` in front: ready to be prepared
    /// with an array for each common column and then for each declared one.
    package let statements: [String]
    /// The same for a batch of one event, with its values as parameters in place of the arrays.
    package let statementsOfOne: [String]
    private let bodies: [BatchStatement]
    /// Where each statement begins in `apply.sql`, as a line from 1.
    package let statementLines: [Int]
    /// The text of `apply.sql`.
    package let applySQL: String

    /// The name for messages, such as `conversation_turns v1`.
    package var title: String { id.description }

    /// All versions of all projections in a set of files, by name and version.
    ///
    /// - Throws: ``SchemaError`` with code `.invalidFile`, naming file and line, if a folder breaks the contract.
    package static func all(in files: SQLFiles) throws(SchemaError) -> [ProjectionFiles] {
        var folders: [String: (name: String, version: Int, texts: [String: String])] = [:]
        for (path, text) in files.files(in: "projections") {
            guard
                let match = path.wholeMatch(
                    of: #/(([a-z][a-z0-9_]*)/v([1-9][0-9]{0,5}))/(table|apply|view|erase)\.sql/#
                ),
                let version = Int(match.3)
            else {
                throw SchemaError(
                    .invalidFile,
                    "\(files.projections)/\(path) is not one of <name>/v<number>/table.sql, apply.sql, view.sql, erase.sql: "
                        + "rename or remove it"
                )
            }
            folders[String(match.1), default: (String(match.2), version, [:])].texts[String(match.4)] = text
        }
        var projections: [ProjectionFiles] = []
        for (folder, (name, version, texts)) in folders {
            for file in ["table", "apply", "view"] where texts[file] == nil {
                throw SchemaError(.invalidFile, "\(files.projections)/\(folder)/\(file).sql is missing")
            }
            projections.append(
                try ProjectionFiles(
                    name: name,
                    version: version,
                    folder: "\(files.projections)/\(folder)",
                    tableSQL: texts["table"] ?? "",
                    applySQL: texts["apply"] ?? "",
                    viewSQL: texts["view"] ?? "",
                    eraseSQL: texts["erase"]
                )
            )
        }
        return projections.sorted { $0.id < $1.id }
    }

    /// The newest version of each projection.
    ///
    /// - Throws: As ``all(in:)``.
    package static func newest(in files: SQLFiles) throws(SchemaError) -> [ProjectionFiles] {
        let all = try all(in: files)
        return all.enumerated().filter { $0.offset + 1 == all.count || all[$0.offset + 1].name != $0.element.name }
            .map(\.element)
    }

    /// Whether a pattern of the header matches an event type, or everything that another pattern matches.
    package static func covers(_ pattern: String, _ other: String) -> Bool {
        pattern == "*" || pattern == other || (pattern.hasSuffix(".*") && other.hasPrefix(pattern.dropLast()))
    }

    /// Reads one version from the texts of its files.
    ///
    /// - Parameter folder: Where they are, for messages; below `projections` unless given.
    /// - Throws: ``SchemaError`` with code `.invalidFile`, naming file and line.
    package init(
        name: String,
        version: Int,
        folder: String? = nil,
        tableSQL: String,
        applySQL: String,
        viewSQL: String,
        eraseSQL: String? = nil
    ) throws(SchemaError) {
        let folder = folder ?? "projections/\(name)/v\(version)"
        let file = "\(folder)/apply.sql"
        let header = try ProjectionHeader(applySQL, file: file)
        let statements = try SQLStatement.split(applySQL, file: file)
        try Self.check(statements, header, hasErasure: eraseSQL != nil, file: file)
        for (script, file) in [(tableSQL, "table.sql"), (viewSQL, "view.sql"), (eraseSQL ?? "", "erase.sql")] {
            try SQLStatement.refuseTransactions(in: script, file: "\(folder)/\(file)")
        }
        id = ProjectionVersion(name: name, version: version)
        self.folder = folder
        self.tableSQL = tableSQL
        self.applySQL = applySQL
        self.viewSQL = viewSQL
        self.eraseSQL = eraseSQL
        personal = header.personal
        handles = header.handles
        reads = header.reads
        columns = header.columns
        statementLines = statements.map(\.line)
        isKeyedByStream = header.isKeyedByStream
        mostShards = header.mostShards
        var bodies: [BatchStatement] = []
        for statement in statements { bodies.append(try BatchStatement(statement, file: file)) }
        self.bodies = bodies
        // Functions in the select list advance side by side, row by row; in FROM, each would be written to a table of
        // its own first.
        let arrays = Self.batch(header.columns) { "unnest(\($0)::\($1)[])" }
        self.statements = bodies.map { $0.text(over: arrays) }
        let values = Self.batch(header.columns) { "\($0)::\($1)" }
        statementsOfOne = bodies.map { $0.text(over: values) }
    }

    /// Refuses an `apply.sql` that folds nothing, and one whose header and folder differ about what is personal.
    private static func check(
        _ statements: [SQLStatement],
        _ header: ProjectionHeader,
        hasErasure: Bool,
        file: String
    ) throws(SchemaError) {
        guard !statements.isEmpty else {
            throw SchemaError(
                .invalidFile,
                "\(file) holds no statement: it has to fold batch into the projection's tables"
            )
        }
        guard header.personal.isEmpty != hasErasure else {
            throw SchemaError(
                .invalidFile,
                hasErasure
                    ? "\(file): the folder has an erase.sql, so the header names what is personal: -- personal: column, …"
                    : "\(file): it declares personal columns, so the folder has an erase.sql that blanks what became of them"
            )
        }
    }

    /// The statements of `apply.sql`, in their order, each with another relation as its `batch`.
    ///
    /// - Parameter batch: A common table expression of that name which has the common columns and the declared ones,
    ///   such as `batch as (select …)`.
    package func statements(over batch: String) -> [String] { bodies.map { $0.text(over: batch) } }

    /// The relation `batch` as a row or rows of parameters.
    ///
    /// - Parameter value: Returns the SQL of a column, given its parameter and its type.
    private static func batch(_ declared: [Column], _ value: (String, String) -> String) -> String {
        let columns = commonColumns + declared.map { (name: $0.name, type: $0.type.rawValue) }
        let list = columns.enumerated().map { "\(value("$\($0 + 1)", $1.type)) as \"\($1.name)\"" }
        return "batch as (select \(list.joined(separator: ", ")))"
    }
}

/// A statement of `apply.sql` that takes the relation `batch` as the first of its common table expressions.
private struct BatchStatement: Sendable, Hashable {
    private let opening: String
    private let rest: String

    init(_ statement: SQLStatement, file: String) throws(SchemaError) {
        let words = try statement.words(2, file: file)
        let verb = words.first?.word ?? ""
        switch verb {
        case "with":
            let isRecursive = words.count > 1 && words[1].word == "recursive"
            let end = isRecursive ? words[1].end : words[0].end
            opening = isRecursive ? "with recursive" : "with"
            rest = "," + String(decoding: Array(statement.text.utf8)[end...], as: UTF8.self)
        case "insert", "update", "delete", "merge", "select":
            opening = "with"
            rest = "\n" + statement.text
        default:
            throw SchemaError(
                .invalidFile,
                "\(file):\(statement.line): a statement of apply.sql begins with INSERT, UPDATE, DELETE, MERGE, SELECT or "
                    + "WITH, not with \(verb.uppercased())"
            )
        }
    }

    func text(over batch: String) -> String { "\(opening) \(batch)\(rest)" }
}
