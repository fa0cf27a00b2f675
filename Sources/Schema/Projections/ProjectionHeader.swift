/// What the comments at the top of an `apply.sql` declare.
///
/// ```sql
/// -- handles: turn.generated, turn.completed
/// -- reads: turn.generated
/// -- key: stream
/// -- shards: 1
/// -- column: turn_id uuid = data.turnId
/// -- personal: user_transcript, llm_response
/// ```
struct ProjectionHeader {
    let handles: [String]
    /// What `-- reads: …` declares: the types from whose events the declared columns are read; for others they are
    /// NULL. All that are handled unless it is declared.
    let reads: [String]
    let columns: [ProjectionFiles.Column]
    /// Whether `-- key: stream` is declared.
    let isKeyedByStream: Bool
    /// What `-- shards: …` declares.
    let mostShards: Int?
    /// What `-- personal: …` declares: columns whose values an erasure blanks.
    let personal: [String]

    /// Reads the lines above the first statement.
    ///
    /// - Throws: ``SchemaError`` with code `.invalidFile` and the line that does not follow the form.
    init(_ script: String, file: String) throws(SchemaError) {
        var handles: [String] = []
        var reads: [(types: String, line: Int)] = []
        var columns: [ProjectionFiles.Column] = []
        var isKeyedByStream = false
        var mostShards: Int?
        var personal: [(name: String, line: Int)] = []
        for (number, line) in script.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.drop { $0 == " " || $0 == "\t" }
            if content.isEmpty { continue }
            guard content.hasPrefix("--") else { break }
            guard let match = content.wholeMatch(of: #/--\s*([a-zA-Z]+)\s*:\s*(.*?)\s*/#) else { continue }
            func invalid(_ reason: String) -> SchemaError {
                SchemaError(.invalidFile, "\(file):\(number + 1): \(reason)")
            }
            switch match.1 {
            case "handles": handles += try Self.types(match.2, invalid)
            case "reads": reads += try Self.types(match.2, invalid).map { ($0, number + 1) }
            case "column":
                let column = try Self.column(match.2, invalid)
                if columns.contains(where: { $0.name == column.name }) {
                    throw invalid("column \(column.name) is declared twice")
                }
                columns.append(column)
            case "key":
                guard match.2 == "stream" else {
                    throw invalid("the key of a projection is \"stream\", or not declared")
                }
                isKeyedByStream = true
            case "personal":
                for part in match.2.split(separator: ",") {
                    personal.append((String(part.filter { $0 != " " && $0 != "\t" }), number + 1))
                }
            case "shards":
                guard let count = Int(match.2), (1...256).contains(count) else {
                    throw invalid("the most shards that a projection can have is a number from 1 to 256")
                }
                mostShards = count
            case "handle", "columns", "Handles", "Column", "HANDLES", "COLUMN":
                throw invalid(
                    "\"\(match.1):\" is written \"\(match.1.lowercased().hasPrefix("h") ? "handles" : "column"):\""
                )
            default: continue
            }
        }
        guard !handles.isEmpty else {
            throw SchemaError(
                .invalidFile,
                "\(file):1: the header does not say which events it takes: add -- handles: turn.completed, …"
            )
        }
        if let stranger = personal.first(where: { name in !columns.contains { $0.name == name.name } }) {
            throw SchemaError(
                .invalidFile,
                "\(file):\(stranger.line): \(stranger.name) is declared as personal, but not as a column"
            )
        }
        if let stranger = reads.first(where: { reads in !handles.contains { ProjectionFiles.covers($0, reads.types) } })
        {
            throw SchemaError(
                .invalidFile,
                "\(file):\(stranger.line): columns are read of \(stranger.types), which is not among the types it handles"
            )
        }
        self.personal = personal.map(\.name)
        self.handles = handles
        self.reads = reads.isEmpty ? handles : reads.map(\.types)
        self.columns = columns
        self.isKeyedByStream = isKeyedByStream
        self.mostShards = mostShards
    }

    /// Reads event types, `noun.*` or `*`, with commas between them.
    private static func types(
        _ list: Substring,
        _ invalid: (String) -> SchemaError
    ) throws(SchemaError) -> [String] {
        var patterns: [String] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let pattern = part.filter { $0 != " " && $0 != "\t" }
            guard pattern.wholeMatch(of: #/\*|[a-z0-9_.]+\.\*|[a-z][a-z0-9_.]*/#) != nil else {
                throw invalid("\"\(pattern)\" is not an event type, noun.* or *")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    /// Reads `name type = path`.
    private static func column(
        _ declaration: Substring,
        _ invalid: (String) -> SchemaError
    ) throws(SchemaError) -> ProjectionFiles.Column {
        guard let match = declaration.wholeMatch(of: #/(\S+)\s+(.+?)\s*=\s*(\S+)/#) else {
            throw invalid("a column is declared as: -- column: turn_id uuid = data.turnId")
        }
        let name = String(match.1)
        guard name.wholeMatch(of: #/[a-z_][a-z0-9_]{0,62}/#) != nil else {
            throw invalid("\"\(name)\" is not a column's name: use small letters, digits and underscores")
        }
        guard !ProjectionFiles.commonColumns.contains(where: { $0.name == name }) else {
            throw invalid("every batch has a column \(name) already")
        }
        let typeName = match.2.split(separator: " ").joined(separator: " ")
        guard let type = FieldType(rawValue: typeName) else {
            let types = FieldType.allCases.map(\.rawValue).joined(separator: ", ")
            throw invalid("a column's type is one of \(types), not \(typeName)")
        }
        guard let path = FieldPath(String(match.3)) else {
            throw invalid("\"\(match.3)\" does not lie in data or metadata: write data.turnId, for example")
        }
        guard !path.names.isEmpty || type == .jsonb else {
            throw invalid("\(path) as a whole is jsonb, not \(typeName)")
        }
        return ProjectionFiles.Column(name: name, type: type, path: path)
    }
}
