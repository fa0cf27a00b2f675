/// The words of SQL scripts, without those in strings, quoted names and comments.
package enum SQLWords {
    /// Each word of a script once, in lower case, in the order of their first occurrences.
    ///
    /// - Parameter file: The script's name, for messages.
    /// - Throws: ``SchemaError`` with code `.invalidFile` and the line of a string, quoted name or comment without an
    ///   end.
    package static func of(_ script: String, file: String) throws(SchemaError) -> [String] {
        var lexer = SQLLexer(script, file: file)
        var words: [String] = []
        while let token = try lexer.next() {
            guard token.kind == .other else { continue }
            let word = lexer.text(token.range).lowercased()
            if word.first?.isLetter == true, !words.contains(word) { words.append(word) }
        }
        return words
    }
}
