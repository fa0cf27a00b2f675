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
}

extension ProjectionHeader {
    /// Reads the lines above the first statement.
    ///
    /// - Throws: ``SchemaError`` with code `.invalidFile` and the line that does not follow the form.
    init(_ script: String, file: String) throws(SchemaError) {
        var draft = HeaderDraft(file: file)
        for (number, line) in script.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.drop { $0 == " " || $0 == "\t" }
            if content.isEmpty { continue }
            guard content.hasPrefix("--") else { break }
            guard let match = content.wholeMatch(of: #/--\s*([a-zA-Z]+)\s*:\s*(.*?)\s*/#) else { continue }
            try draft.take(match.1, match.2, line: number + 1)
        }
        self = try draft.checked()
    }
}

/// What a header declares as far as its lines were read.
private struct HeaderDraft {
    let file: String
    private var handles: [String] = []
    private var reads: [(types: String, line: Int)] = []
    private var columns: [ProjectionFiles.Column] = []
    private var isKeyedByStream = false
    private var mostShards: Int?
    private var personal: [(name: String, line: Int)] = []

    init(file: String) { self.file = file }

    private func invalid(_ line: Int, _ reason: String) -> SchemaError {
        SchemaError(.invalidFile, "\(file):\(line): \(reason)")
    }

    /// Takes what one line declares: `-- key: value`. Another key makes it a comment, unless it is a key in capitals,
    /// or with an `s` too many or too few: that would be lost in silence.
    mutating func take(_ key: Substring, _ value: Substring, line: Int) throws(SchemaError) {
        switch key {
        case "handles": handles += try types(value, line)
        case "reads": reads += try types(value, line).map { ($0, line) }
        case "column":
            let column = try column(value, line)
            if columns.contains(where: { $0.name == column.name }) {
                throw invalid(line, "column \(column.name) is declared twice")
            }
            columns.append(column)
        case "key":
            guard value == "stream" else {
                throw invalid(line, "the key of a projection is \"stream\", or not declared")
            }
            isKeyedByStream = true
        case "personal":
            for part in value.split(separator: ",") {
                personal.append((String(part.filter { $0 != " " && $0 != "\t" }), line))
            }
        case "shards":
            guard let count = Int(value), (1...256).contains(count) else {
                throw invalid(line, "the most shards that a projection can have is a number from 1 to 256")
            }
            mostShards = count
        default:
            guard let known = Self.keys.first(where: { Self.stem($0) == Self.stem(key) }) else { return }
            throw invalid(line, "\"\(key):\" is written \"\(known):\"")
        }
    }

    private static let keys = ["handles", "reads", "column", "key", "personal", "shards"]

    /// What a key and its likely misspellings have in common.
    private static func stem(_ key: some StringProtocol) -> String {
        let key = key.lowercased()
        return key.hasSuffix("s") ? String(key.dropLast()) : key
    }

    /// The header, if its lines fit each other.
    func checked() throws(SchemaError) -> ProjectionHeader {
        guard !handles.isEmpty else {
            throw invalid(1, "the header does not say which events it takes: add -- handles: turn.completed, …")
        }
        if let stranger = personal.first(where: { name in !columns.contains { $0.name == name.name } }) {
            throw invalid(stranger.line, "\(stranger.name) is declared as personal, but not as a column")
        }
        if let stranger = reads.first(where: { reads in !handles.contains { ProjectionFiles.covers($0, reads.types) } })
        {
            throw invalid(
                stranger.line,
                "columns are read of \(stranger.types), which is not among the types it handles"
            )
        }
        return ProjectionHeader(
            handles: handles,
            reads: reads.isEmpty ? handles : reads.map(\.types),
            columns: columns,
            isKeyedByStream: isKeyedByStream,
            mostShards: mostShards,
            personal: personal.map(\.name)
        )
    }

    /// Reads event types, `noun.*` or `*`, with commas between them.
    private func types(_ list: Substring, _ line: Int) throws(SchemaError) -> [String] {
        var patterns: [String] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let pattern = part.filter { $0 != " " && $0 != "\t" }
            guard pattern.wholeMatch(of: #/\*|[a-z0-9_.]+\.\*|[a-z][a-z0-9_.]*/#) != nil else {
                throw invalid(line, "\"\(pattern)\" is not an event type, noun.* or *")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    /// Reads `name type = path`.
    private func column(_ declaration: Substring, _ line: Int) throws(SchemaError) -> ProjectionFiles.Column {
        guard let match = declaration.wholeMatch(of: #/(\S+)\s+(.+?)\s*=\s*(\S+)/#) else {
            throw invalid(line, "a column is declared as: -- column: turn_id uuid = data.turnId")
        }
        let name = String(match.1)
        guard name.wholeMatch(of: #/[a-z_][a-z0-9_]{0,62}/#) != nil else {
            throw invalid(line, "\"\(name)\" is not a column's name: use small letters, digits and underscores")
        }
        guard !ProjectionFiles.commonColumns.contains(where: { $0.name == name }) else {
            throw invalid(line, "every batch has a column \(name) already")
        }
        let typeName = match.2.split(separator: " ").joined(separator: " ")
        guard let type = FieldType(rawValue: typeName) else {
            let types = FieldType.allCases.map(\.rawValue).joined(separator: ", ")
            throw invalid(line, "a column's type is one of \(types), not \(typeName)")
        }
        guard let path = FieldPath(String(match.3)) else {
            throw invalid(line, "\"\(match.3)\" does not lie in data or metadata: write data.turnId, for example")
        }
        guard !path.names.isEmpty || type == .jsonb else {
            throw invalid(line, "\(path) as a whole is jsonb, not \(typeName)")
        }
        return ProjectionFiles.Column(name: name, type: type, path: path)
    }
}
