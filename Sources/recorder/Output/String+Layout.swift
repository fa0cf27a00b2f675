extension String {
    /// The text with blanks after it, up to a width.
    func padded(to width: Int) -> String {
        let count = count
        return count < width ? self + String(repeating: " ", count: width - count) : self
    }

    /// The text with blanks before it, up to a width.
    func padded(fromLeftTo width: Int) -> String {
        let count = count
        return count < width ? String(repeating: " ", count: width - count) + self : self
    }

    /// The text, cut with an ellipsis if it is longer than a width; nil leaves it.
    func cut(to width: Int?) -> String {
        guard let width, utf8.count > width, count > width else { return self }
        return String(prefix(max(0, width - 1))) + "…"
    }

    /// The text with line ends and other control characters as blanks, so that it cannot disturb a terminal.
    var onOneLine: String {
        guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
        var scalars = UnicodeScalarView()
        for scalar in unicodeScalars {
            scalars.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(scalars)
    }
}
