/// The caches that have a table.
public enum CacheKind: String, CaseIterable, Sendable {
    /// Vectors of texts.
    case embedding
    /// The results of searches among a user's documents.
    case vectorSearch = "vector_search"
    /// The answers of language models to a user's prompts.
    case llmResponse = "llm_response"

    /// How long a value is served by default.
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
