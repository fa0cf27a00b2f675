package import Postgres

/// Vectors of texts.
package enum EmbeddingContent: CacheContent {
    /// A text, and the model that makes the vector.
    package struct Key: Sendable {
        let text: String
        let model: String
    }

    package static let kind = CacheKind.embedding
    package static let storedColumns = ["model", "embedding"]
    package static let valueColumns = ["embedding"]

    package static func address(of key: Key) -> CacheAddress {
        CacheAddress(kind, user: nil, parts: [key.model, key.text])
    }

    package static func cost(of value: [Float]) -> Int { 32 + value.count * MemoryLayout<Float>.stride }

    package static func bind(
        _ key: Key,
        _ value: [Float],
        into parameters: inout PostgresParameters
    ) throws(PostgresError) {
        try parameters.append(key.model)
        try parameters.append(value)
    }

    package static func decode(_ row: borrowing PostgresRow, from column: Int) throws(PostgresError) -> [Float] {
        try row.decode(at: column)
    }
}
