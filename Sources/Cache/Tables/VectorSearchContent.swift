public import FoundationEssentials
package import Postgres

/// A search among a user's documents.
public struct VectorSearch: Sendable, Hashable {
    /// The user whose documents are searched.
    public let user: UUID
    /// The text that is searched for.
    public let query: String
    /// Which model made the vectors.
    public let model: String
    /// How many matches at most.
    public let limit: Int
    /// What else the result depends on, such as a filter.
    public let filter: String

    /// Makes a search.
    public init(user: UUID, query: String, model: String, limit: Int, filter: String = "") {
        self.user = user
        self.query = query
        self.model = model
        self.limit = limit
        self.filter = filter
    }
}

/// A part of a document that a search found.
public struct VectorMatch: Sendable, Hashable {
    /// The document.
    public let document: UUID
    /// Which part of it, from 0.
    public let chunk: Int
    /// How close it is to the query.
    public let score: Float
    /// The part's text.
    public let text: String

    /// Makes a match.
    public init(document: UUID, chunk: Int, score: Float, text: String) {
        self.document = document
        self.chunk = chunk
        self.score = score
        self.text = text
    }
}

/// The results of searches.
package enum VectorSearchContent: CacheContent {
    package static let kind = CacheKind.vectorSearch
    package static let storedColumns = ["document_ids", "chunks", "scores", "texts"]
    package static let valueColumns = storedColumns

    package static func address(of key: VectorSearch) -> CacheAddress {
        CacheAddress(kind, user: key.user, parts: [key.model, key.query, "\(key.limit)", key.filter])
    }

    package static func cost(of value: [VectorMatch]) -> Int {
        value.reduce(32) { $0 + MemoryLayout<VectorMatch>.stride + 32 + $1.text.utf8.count }
    }

    package static func bind(
        _ key: VectorSearch,
        _ value: [VectorMatch],
        into parameters: inout PostgresParameters
    ) throws(PostgresError) {
        try parameters.append(value.map(\.document))
        try parameters.append(value.map { Int32(clamping: $0.chunk) })
        try parameters.append(value.map(\.score))
        try parameters.append(value.map(\.text))
    }

    package static func decode(_ row: borrowing PostgresRow, from column: Int) throws(PostgresError) -> [VectorMatch] {
        let documents = try row.decode([UUID].self, at: column)
        let chunks = try row.decode([Int32].self, at: column + 1)
        let scores = try row.decode([Float].self, at: column + 2)
        let texts = try row.decode([String].self, at: column + 3)
        let count = documents.count
        guard chunks.count == count, scores.count == count, texts.count == count else {
            throw PostgresError(.decoding, "a row of vector_search_cache has arrays of different lengths")
        }
        return documents.indices.map { place in
            VectorMatch(
                document: documents[place],
                chunk: Int(chunks[place]),
                score: scores[place],
                text: texts[place]
            )
        }
    }
}
