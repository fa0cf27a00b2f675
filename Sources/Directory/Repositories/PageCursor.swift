internal import EventModel

/// The place after a page's last row: that row's values of the sort column and the key.
///
/// As text it can go to a client and come back.
public struct PageCursor: Hashable, Sendable, CustomStringConvertible {
    /// The column that the page was sorted by, with `-` before it if the greatest came first.
    let order: String
    /// The last row's values of that column and of the key, as the database writes them.
    let values: [String]

    init(order: String, values: [String]) {
        self.order = order
        self.values = values
    }

    /// Reads what ``description`` wrote.
    ///
    /// - Throws: ``DirectoryError`` with code `.invalidCursor`.
    public init(_ text: String) throws(DirectoryError) {
        guard case .array(let elements)? = try? JSONValue(json: Array(text.utf8)), elements.count >= 2 else {
            throw Self.invalid
        }
        let words = elements.compactMap(\.string)
        guard words.count == elements.count else { throw Self.invalid }
        self.init(order: words[0], values: Array(words.dropFirst()))
    }

    /// The cursor as a line of text.
    public var description: String { JSONValue.array(([order] + values).map { .string($0) }).json }

    static let invalid = DirectoryError(
        .invalidCursor,
        "the cursor does not belong to this query: give the one that its page before ended with, or none"
    )
}

extension Sort {
    /// The order as a cursor names it.
    var name: String { (isDescending ? "-" : "") + column }
}
