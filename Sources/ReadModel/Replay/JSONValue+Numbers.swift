internal import EventModel
internal import Postgres

extension JSONValue {
    /// An exact amount, by the rule for a projection's columns of type `numeric`: a JSON number, or a string that holds
    /// one, also with a sign, an exponent, or no digits on one side of its point; nil for anything else, and for a
    /// number that a read model does not take.
    var money: Money? { decimal.flatMap { Money($0.description) } }

    /// Milliseconds by the same rule.
    var milliseconds: Milliseconds? { money.map { Milliseconds($0) } }

    private var decimal: PostgresDecimal? {
        guard let decimal = (number ?? string).flatMap({ PostgresDecimal($0) }), decimal.isSummable else { return nil }
        return decimal
    }
}
