/// An exact amount of US dollars, kept as decimal digits.
public struct Money: Hashable, Sendable, CustomStringConvertible {
    /// The digits, such as `0.00006540`.
    public let text: String

    /// Takes a decimal number in plain digits: optionally a minus sign, digits, and optionally a point with digits;
    /// `nil` for anything else.
    public init?(_ text: String) {
        let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let figures = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(figures.contains) }) else { return nil }
        self.text = text
    }

    /// The digits.
    public var description: String { text }
}
