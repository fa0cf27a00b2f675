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

/// Reads just enough SQL to know where statements end.
struct SQLLexer {
    /// What a piece of text is.
    enum Kind { case blank, semicolon, other }

    /// A piece of the text: a word, a string, a sign, a comment.
    struct Token {
        let kind: Kind
        let range: Range<Int>
        let line: Int
    }

    private let bytes: [UInt8]
    private let file: String
    private var index = 0
    private var line = 1

    var count: Int { bytes.count }

    init(_ script: String, file: String) {
        bytes = Array(script.utf8)
        self.file = file
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    func statement(from start: (index: Int, line: Int), to end: Int) -> SQLStatement {
        var end = end
        while end > start.index, Self.isSpace(bytes[end - 1]) { end -= 1 }
        return SQLStatement(text: text(start.index..<end), line: start.line)
    }

    /// The next piece; nil at the end.
    mutating func next() throws(SchemaError) -> Token? {
        guard index < bytes.count else { return nil }
        let start = (index: index, line: line)
        var kind = Kind.other
        switch bytes[index] {
        case let byte where Self.isSpace(byte):
            kind = .blank
            while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
        case UInt8(ascii: ";"):
            kind = .semicolon
            index += 1
        case UInt8(ascii: "-") where byte(after: 1) == UInt8(ascii: "-"):
            kind = .blank
            while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        case UInt8(ascii: "/") where byte(after: 1) == UInt8(ascii: "*"):
            kind = .blank
            try skipComment()
        case UInt8(ascii: "'"): try skipQuoted(by: UInt8(ascii: "'"), escapes: false, name: "string")
        case UInt8(ascii: "\""): try skipQuoted(by: UInt8(ascii: "\""), escapes: false, name: "quoted name")
        case UInt8(ascii: "$"): try skipDollar()
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            if byte(after: 1) == UInt8(ascii: "'") {
                index += 1
                try skipQuoted(by: UInt8(ascii: "'"), escapes: true, name: "string")
            } else {
                skipWord()
            }
        case let byte where Self.isWordStart(byte): skipWord()
        default: index += 1
        }
        line += bytes[start.index..<index].count { $0 == UInt8(ascii: "\n") }
        return Token(kind: kind, range: start.index..<index, line: start.line)
    }

    private func byte(after distance: Int) -> UInt8? {
        index + distance < bytes.count ? bytes[index + distance] : nil
    }

    private mutating func skipWord() {
        while index < bytes.count, Self.isWordStart(bytes[index]) || Self.isDigit(bytes[index]) || bytes[index] == 0x24
        {
            index += 1
        }
    }

    private mutating func skipQuoted(by quote: UInt8, escapes: Bool, name: String) throws(SchemaError) {
        let start = index
        index += 1
        while index < bytes.count {
            if escapes, bytes[index] == UInt8(ascii: "\\") {
                index += 2
            } else if bytes[index] == quote {
                index += 1
                // A doubled quote stands for itself.
                guard index < bytes.count, bytes[index] == quote else { return }
                index += 1
            } else {
                index += 1
            }
        }
        throw unended(name, start: start)
    }

    private mutating func skipDollar() throws(SchemaError) {
        let start = index
        var end = index + 1
        while end < bytes.count, Self.isWordStart(bytes[end]) || (end > start + 1 && Self.isDigit(bytes[end])) {
            end += 1
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else {
            index += 1  // a parameter such as $1
            return
        }
        let tag = bytes[start...end]
        index = end + 1
        while index + tag.count <= bytes.count {
            if bytes[index] == UInt8(ascii: "$"), bytes[index..<index + tag.count].elementsEqual(tag) {
                index += tag.count
                return
            }
            index += 1
        }
        throw unended("dollar-quoted string", start: start)
    }

    private mutating func skipComment() throws(SchemaError) {
        let start = index
        var depth = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "/"), byte(after: 1) == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else if bytes[index] == UInt8(ascii: "*"), byte(after: 1) == UInt8(ascii: "/") {
                depth -= 1
                index += 2
                if depth == 0 { return }
            } else {
                index += 1
            }
        }
        throw unended("comment", start: start)
    }

    private func unended(_ name: String, start: Int) -> SchemaError {
        let line = 1 + bytes[..<start].count { $0 == UInt8(ascii: "\n") }
        return SchemaError(.invalidFile, "\(file):\(line): the \(name) that begins here does not end")
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Letters, the underscore, and whatever is not ASCII.
    private static func isWordStart(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == 0x5F || byte >= 0x80
    }
}
