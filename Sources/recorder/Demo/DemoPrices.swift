import ReadModel

/// Prices of the models whose simulated calls carry no cost, so that the demo has some to compute.
enum DemoPrices {
    private static let json = """
        {"models": {
          "claude-haiku-4-5-20251001": {"input": "0.000001", "input_cache_read": "0.0000001", "output": "0.000005"},
          "claude-sonnet-4-20250514": {"input": "0.000003", "input_cache_read": "0.0000003", "output": "0.000015"},
          "claude-sonnet-4-5-20250929": {"input": "0.000003", "input_cache_read": "0.0000003", "output": "0.000015"}
        }}
        """

    /// The prices, for all times.
    static func list() throws -> [ModelPrice] { try ModelPrice.list(json: Array(json.utf8)) }
}
