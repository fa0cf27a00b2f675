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
