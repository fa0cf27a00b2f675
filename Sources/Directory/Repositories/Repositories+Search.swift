internal import EventModel
internal import Postgres

/// A document that a search found.
public struct DocumentHit: Hashable, Sendable {
    /// A piece of text around what was found.
    public struct Snippet: Hashable, Sendable {
        /// A run of characters.
        public struct Part: Hashable, Sendable {
            /// The characters.
            public let text: String
            /// Whether they match a word of the search.
            public let isMatch: Bool
        }

        /// The text, cut where matches begin and end.
        public let parts: [Part]

        /// The text without marks.
        public var text: String { parts.map(\.text).joined() }

        /// Reads text in which U+E000 and U+E001 enclose matches.
        init(marked text: String) {
            var parts: [Part] = []
            for (index, piece) in text.split(separator: "\u{E000}", omittingEmptySubsequences: false).enumerated() {
                let halves = piece.split(separator: "\u{E001}", maxSplits: 1, omittingEmptySubsequences: false)
                if index > 0, let match = halves.first { parts.append(Part(text: String(match), isMatch: true)) }
                if let rest = index > 0 ? halves.dropFirst().first : piece {
                    parts.append(Part(text: String(rest), isMatch: false))
                }
            }
            self.parts = parts.filter { !$0.text.isEmpty }
        }
    }

    /// The document.
    public let id: EntityID<KnowledgeDocument>
    /// Its name.
    public let filename: String
    /// How well it matches; comparable only with ranks of the same search.
    public let rank: Double
    /// The places in its text that match best.
    public let snippet: Snippet
}

extension Repositories {
    /// Finds the user's documents that match the words, best first, and returns a page of them.
    ///
    /// - Parameters:
    ///   - words: As typed into a search box: words in any of their forms, `"phrases"`, `or`, `-not`; at most 4,096
    ///     characters.
    ///   - limit: How many at most, at least 1 and less than ``Query/largestPage``; values outside are clamped.
    ///   - after: Where an earlier page of the same search ended.
    /// - Throws: ``DirectoryError``; `CancellationError`.
    public func searchDocuments(_ words: String, limit: Int = 20, after: PageCursor? = nil) async throws -> Page<
        DocumentHit
    > {
        try await context.call {
            let limit = min(max(1, limit), Query<KnowledgeDocument>.largestPage - 1)
            var text = SQLText("select id, filename, rank, snippet, rank::text, id::text from search_documents(")
            text.add(BoundValue(words))
            text.add(", ")
            text.add(BoundValue(limit + 1))
            text.add("::int")
            if let after {
                guard after.order == Self.searchOrder, after.values.count == 2 else { throw PageCursor.invalid }
                text.add(", ")
                text.add(BoundValue(after.values[0]))
                text.add("::text::real, ")
                text.add(BoundValue(after.values[1]))
                text.add("::text::uuid")
            }
            text.add(")")
            let hits = try await context.rows(
                TextStatement(text: text) { row throws(PostgresError) in
                    let hit = DocumentHit(
                        id: EntityID(try row.uuid(at: 0)),
                        filename: try row.decode(at: 1),
                        rank: try row.decode(at: 2),
                        snippet: DocumentHit.Snippet(marked: try row.decode(at: 3))
                    )
                    let place: [String] = [try row.decode(at: 4), try row.decode(at: 5)]
                    return (hit: hit, place: place)
                }
            )
            let page = hits.prefix(limit)
            let next =
                hits.count > limit ? page.last.map { PageCursor(order: Self.searchOrder, values: $0.place) } : nil
            return Page(page.map(\.hit), next: next)
        }
    }

    private static let searchOrder = "-rank"
}
