internal import EventModel

/// Looks up prices by model, kind and moment, as the SQL function `llm_cost` does.
struct PriceList: Sendable {
    private var prices: [String: [ModelPrice.Kind: [ModelPrice]]] = [:]

    init(_ prices: [ModelPrice]) {
        for price in prices { self.prices[price.model, default: [:]][price.kind, default: []].append(price) }
    }

    /// The cost of a language model's call, at the prices of its moment.
    ///
    /// - Returns: nil, never 0, if something is unknown: the model, a count, or the price of a kind of token that was
    ///   used.
    func cost(of data: JSONValue, at moment: Timestamp) -> Money? {
        guard let model = data["model"]?.string, let kinds = prices[model], let input = data["inputTokens"]?.integer,
            let output = data["outputTokens"]?.integer
        else { return nil }
        let valid = kinds.mapValues { Self.price($0, at: moment) }.compactMapValues(\.self)
        guard !valid.isEmpty else { return nil }
        let cached = min(data["cachedInputTokens"]?.integer ?? 0, input)
        let (uncached, isTooLarge) = input.subtractingReportingOverflow(cached)
        guard !isTooLarge else { return nil }
        var total = Money.zero
        for (count, kind) in [(uncached, ModelPrice.Kind.input), (cached, .inputCacheRead), (output, .output)]
        where count != 0 {
            guard let price = valid[kind] else { return nil }
            total = total + count * price
        }
        return total
    }

    /// The latest price that applies at a moment.
    private static func price(_ prices: [ModelPrice], at moment: Timestamp) -> Money? {
        prices.filter { $0.validFrom.map { $0 <= moment } ?? true }
            .max { ($0.validFrom?.microseconds ?? .min) < ($1.validFrom?.microseconds ?? .min) }?
            .usdPerToken
    }
}
