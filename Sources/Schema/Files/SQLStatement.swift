/// One statement of a script, as it was written.
struct SQLStatement: Sendable, Hashable {
    /// The statement without the semicolon, and without the comments and space before its first word.
    let text: String
    /// The line of its first word, from 1.
    let line: Int

    /// Splits a script at its semicolons.
    ///
    /// Those in strings (also `E''`), quoted names, dollar quotes and comments do not count.
    /// Source: PostgreSQL manual, 4.1 "Lexical Structure".
    ///
    /// - Parameter file: The script's name, for messages.
    /// - Throws: ``SchemaError`` with code `.invalidFile` and the line of a string, quoted name or comment without an
    ///   end.
    static func split(_ script: String, file: String) throws(SchemaError) -> [SQLStatement] {
        var lexer = SQLLexer(script, file: file)
        var statements: [SQLStatement] = []
        var start: (index: Int, line: Int)?
        while let token = try lexer.next() {
            switch token.kind {
            case .blank: continue
            case .semicolon:
                if let begun = start { statements.append(lexer.statement(from: begun, to: token.range.lowerBound)) }
                start = nil
            case .other:
                if start == nil { start = (token.range.lowerBound, token.line) }
            }
        }
        if let begun = start { statements.append(lexer.statement(from: begun, to: lexer.count)) }
        return statements
    }

    /// Refuses statements that begin or end a transaction, for scripts that run inside one of the recorder's.
    ///
    /// `prepare` is among them because of `PREPARE TRANSACTION`, and `end` because it means COMMIT, unless it ends the
    /// body of a function.
    ///
    /// - Throws: ``SchemaError`` with code `.invalidFile`, the file and the line.
    static func refuseTransactions(in script: String, file: String) throws(SchemaError) {
        let refused = ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"]
        var isInBody = false
        for statement in try split(script, file: file) {
            guard let verb = try statement.words(1, file: file).first?.word else { continue }
            // The statements of such a body are separated by semicolons like those outside.
            if verb == "create", try statement.beginsBody(file: file) { isInBody = true }
            guard refused.contains(verb) else { continue }
            if isInBody, verb == "end" {
                isInBody = false
                continue
            }
            throw SchemaError(
                .invalidFile,
                "\(file):\(statement.line): \(verb.uppercased()) is refused: the file runs inside a transaction of the "
                    + "recorder's"
            )
        }
    }

    /// Whether the statement makes a function with a body of SQL, `BEGIN ATOMIC`.
    private func beginsBody(file: String) throws(SchemaError) -> Bool {
        let words = try words(.max, file: file).map(\.word)
        return zip(words, words.dropFirst()).contains { $0 == "begin" && $1 == "atomic" }
    }

    /// The statement's first words in lower case; comments between them are skipped.
    func words(_ count: Int, file: String) throws(SchemaError) -> [(word: String, end: Int)] {
        var lexer = SQLLexer(text, file: file)
        var words: [(word: String, end: Int)] = []
        while words.count < count, let token = try lexer.next() {
            guard token.kind == .other else { continue }
            words.append((lexer.text(token.range).lowercased(), token.range.upperBound))
        }
        return words
    }
}
