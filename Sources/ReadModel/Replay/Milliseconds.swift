internal import EventModel

/// Milliseconds that are added up exactly, as the read models do: 0.1 and 0.2 are 0.3.
struct Milliseconds: Hashable, Sendable {
    /// A `Money` only for its exact decimal arithmetic.
    private let digits: Money

    static let zero = Milliseconds(.zero)

    init(_ digits: Money) { self.digits = digits }

    static func + (left: Self, right: Self) -> Self { Self(left.digits + right.digits) }

    /// The nearest `Double`.
    var double: Double { Double(digits.text) ?? .nan }
}
