/// The caches that have a table.
public enum CacheKind: String, CaseIterable, Sendable {
    /// Vectors of texts.
    case embedding
    /// What searches among a user's documents found.
    case vectorSearch = "vector_search"
    /// What language models answered to a user's prompts.
    case llmResponse = "llm_response"

    /// For how long a value is served if nobody says otherwise.
    public var usualLifetime: Duration {
        switch self {
        case .embedding, .llmResponse: .seconds(3600)
        case .vectorSearch: .seconds(1800)
        }
    }

    /// Whether each value belongs to a user.
    package var isPerUser: Bool { self != .embedding }

    var table: String { "\(rawValue)_cache" }
}
