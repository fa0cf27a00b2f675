import EventModel
import ReadModel

/// Measured values as a person reads them; what was not measured has no text.
enum Figures {
    /// A number with `digits` digits after the point, or with an exponent if it is too large for that.
    static func decimal(_ value: Double?, digits: Int) -> String? {
        let factor = (0..<digits).reduce(1) { product, _ in product * 10 }
        guard let value, value.isFinite else { return nil }
        guard abs(value) * Double(factor) < 1e18 else { return "\(value)" }
        let scaled = Int((abs(value) * Double(factor)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        return "\(sign)\(scaled / factor)." + String(String(scaled % factor + factor).dropFirst())
    }

    /// Milliseconds: one digit after the point below 100, none above.
    static func milliseconds(_ value: Double?) -> String? {
        value.flatMap { decimal($0, digits: abs($0) < 100 ? 1 : 0) }
    }

    /// US dollars, rounded to six digits after the point; an amount too small for that is shown as `<$0.000001`, not as
    /// zero. `recorder … --json` has all digits.
    static func dollars(_ value: Money?) -> String? {
        guard let text = value?.text else { return nil }
        let parts = text.split(separator: ".", maxSplits: 1)
        guard let value, parts.count == 2, parts[1].count > 6 else { return "$\(text)" }
        guard let half = Money(value.isNegative ? "-0.0000005" : "0.0000005") else { return nil }
        let rounded = (value + half).text
        let cut = rounded.prefix { $0 != "." } + "." + rounded.drop { $0 != "." }.dropFirst().prefix(6)
        if cut.contains(where: { ("1"..."9").contains($0) }) { return "$\(cut)" }
        guard text.contains(where: { ("1"..."9").contains($0) }) else { return "$0.000000" }
        return value.isNegative ? ">-$0.000001" : "<$0.000001"
    }

    /// US dollars, with a `+` after them if some of the costs in the sum are unknown.
    static func dollars(_ value: Money?, isPartial: Bool) -> String? {
        dollars(value).map { $0 + (isPartial ? "+" : "") }
    }

    /// A sum of US dollars with all its digits, and how many calls it leaves out because their cost is unknown.
    static func dollars(_ value: Money?, uncostedCalls: Int) -> String? {
        value.map {
            "$\($0)" + (uncostedCalls == 0 ? "" : ", without \(Counted.text(uncostedCalls, "call")) of unknown cost")
        }
    }

    /// A moment to the second, without a time zone: it is UTC.
    static func moment(_ value: Timestamp?) -> String? {
        value.map { String($0.description.prefix(19)).replacing("T", with: " ") }
    }

    /// A span of time from the start: `1:02.345`.
    static func offset(_ duration: Duration) -> String {
        let milliseconds = Int(duration / .milliseconds(1))
        let (seconds, rest) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1_000)
        let text = "\(seconds / 60):" + String(String(seconds % 60 + 100).dropFirst()) + "."
        return (milliseconds < 0 ? "-" : "") + text + String(String(rest + 1_000).dropFirst())
    }
}
