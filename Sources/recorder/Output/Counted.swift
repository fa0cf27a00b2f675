/// Numbers as a person reads them.
enum Counted {
    /// A number with its noun: `1 event`, `12,345 events`.
    static func text(_ count: Int, _ noun: String) -> String { "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")" }

    /// A number with its thousands separated: `12,345`.
    static func grouped(_ count: Int) -> String {
        let digits = String(count.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return count < 0 ? "-\(text)" : text
    }
}
