/// What is known of one thing, a fact a line.
enum FactList {
    /// Prints facts; those without a text are left out. Texts come from whoever appended the events, so they are kept
    /// from disturbing the terminal, or looking like a fact of their own.
    static func print(_ facts: [(name: String, value: String?)]) {
        for (name, value) in facts {
            if let value, !value.isEmpty { StandardOutput.shared.line("\(name.padded(to: 14))\(value.onOneLine)") }
        }
    }
}
