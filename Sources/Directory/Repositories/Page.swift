/// Some rows, and where the next ones begin.
public struct Page<Item: Sendable>: Sendable {
    /// The rows in their order.
    public let items: [Item]
    /// What ``Query/after`` takes to go on; nil behind the last row.
    public let next: PageCursor?

    init(_ items: [Item], next: PageCursor?) {
        self.items = items
        self.next = next
    }

    /// The same page with other items.
    func with<Other: Sendable>(_ items: [Other]) -> Page<Other> { Page<Other>(items, next: next) }
}
