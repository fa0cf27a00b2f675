extension Int {
    /// The exact value of a JSON number that is whole, such as `100`, `100.0` or `1e2`; otherwise `nil`.
    package init?(wholeNumber text: String) {
        if let plain = Int(text) {
            self = plain
            return
        }
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard let exponent = parts.count == 1 ? 0 : Int(parts[1]), (-400...400).contains(exponent) else { return nil }
        let (whole, fraction) = (mantissa[0], mantissa.count == 1 ? "" : mantissa[1])
        let sign = whole.prefix { $0 == "-" }
        let digits = whole.dropFirst(sign.count) + fraction
        let point = digits.count - fraction.count + exponent
        guard digits.dropFirst(Swift.max(0, point)).allSatisfy({ $0 == "0" }) else { return nil }
        let zeros = String(repeating: "0", count: Swift.max(0, point - digits.count))
        let value = digits.prefix(Swift.max(0, point)) + zeros
        guard let value = Int(sign + (value.isEmpty ? "0" : value)) else { return nil }
        self = value
    }
}
