/// Some rows, and where the next ones begin.
public struct Page<Item: Sendable>: Sendable {
    /// The rows in their order.
    public let items: [Item]
    /// The cursor to pass as ``Query/after`` for the next page; nil after the last row.
    public let next: PageCursor?

    init(_ items: [Item], next: PageCursor?) {
        self.items = items
        self.next = next
    }

    /// The same page with other items.
    func with<Other: Sendable>(_ items: [Other]) -> Page<Other> { Page<Other>(items, next: next) }
}
