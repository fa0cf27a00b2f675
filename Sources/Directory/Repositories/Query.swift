/// Which rows to read, in which order, and how many.
public struct Query<Record: StoredRecord>: Sendable {
    /// The most rows of one page.
    public static var largestPage: Int { 1_000 }

    /// Which rows; nil for all.
    public var filter: Filter<Record>?
    /// In which order; nil for the record's own.
    public var sort: Sort<Record>?
    /// Whether deleted rows are seen.
    public var deleted: DeletedRows
    /// How many at most, 1 … ``largestPage``; values outside are clamped.
    public var limit: Int
    /// Where an earlier page ended: only rows after that are read.
    public var after: PageCursor?

    /// - Parameters:
    ///   - filter: Which rows, such as `{ $0.status == .pending }`.
    ///   - order: In which order, such as `{ $0.uploadedAt.descending }`.
    public init(
        where filter: (Record.Columns) -> Filter<Record>? = { _ in nil },
        order: (Record.Columns) -> Sort<Record>? = { _ in nil },
        deleted: DeletedRows = .hidden,
        limit: Int = 50,
        after: PageCursor? = nil
    ) {
        self.filter = filter(Record.columns)
        sort = order(Record.columns)
        self.deleted = deleted
        self.limit = limit
        self.after = after
    }

    /// The limit within its bounds.
    var boundedLimit: Int { min(max(1, limit), Self.largestPage) }
}
