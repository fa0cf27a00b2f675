/// What is known about one thing, one fact a line.
enum FactList {
    /// Prints facts; those without a text are left out. Anyone who appends events may have written the texts, so they
    /// are kept from disturbing the terminal or looking like a separate fact.
    static func print(_ facts: [(name: String, value: String?)]) {
        for (name, value) in facts {
            if let value, !value.isEmpty { StandardOutput.shared.line("\(name.padded(to: 14))\(value.onOneLine)") }
        }
    }
}
