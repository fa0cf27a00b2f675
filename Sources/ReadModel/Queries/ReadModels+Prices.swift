internal import EventModel
internal import Postgres

extension ReadModels {
    /// All prices, by model, kind and time.
    ///
    /// - Throws: ``ReadModelError``; `CancellationError`.
    public func prices() async throws -> [ModelPrice] { try await rows(SelectPrices()) }

    /// Stores prices, all or none; one with the same model, kind and time replaces the stored one.
    ///
    /// - Returns: How many are new or have changed.
    /// - Throws: ``ReadModelError``; `CancellationError`.
    public func save(_ prices: [ModelPrice]) async throws -> Int { try await execute(prices.map(UpsertPrice.init)) }
}

private struct SelectPrices: PostgresStatement {
    let sql = "select model, kind, usd_per_token, valid_from from model_prices order by model, kind, valid_from"

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> ModelPrice {
        let validFrom = try row.decode(PostgresTimestamp.self, at: 3)
        guard let price = try row.money(at: 2) else {
            throw PostgresError(.decoding, "a row of model_prices has no price")
        }
        return ModelPrice(
            model: try row.decode(at: 0),
            kind: try row.word(at: 1),
            usdPerToken: price,
            validFrom: validFrom == .negativeInfinity
                ? nil : Timestamp(microseconds: validFrom.unixMicroseconds)
        )
    }
}

private struct UpsertPrice: PostgresStatement {
    let price: ModelPrice

    let sql = """
        insert into model_prices (model, kind, usd_per_token, valid_from) values ($1, $2, $3, $4)
        on conflict (model, kind, valid_from) do update set usd_per_token = excluded.usd_per_token
        where model_prices.usd_per_token is distinct from excluded.usd_per_token
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(price.model)
        try parameters.append(price.kind.rawValue)
        try parameters.append(PostgresDecimal(price.usdPerToken.text) ?? .zero)
        try parameters.append(price.validFrom.map { PostgresTimestamp($0) } ?? .negativeInfinity)
    }
}
