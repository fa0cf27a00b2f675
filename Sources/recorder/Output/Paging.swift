/// Results that are read and shown a page at a time.
enum Paging {
    /// Reads and shows pages until there is nothing more, and says so on standard error if the limit leaves some out.
    ///
    /// - Parameters:
    ///   - limit: How many items at most; 0 for all.
    ///   - largest: How many one page holds at most.
    ///   - page: Reads at most `limit` items after one of them, or the first ones.
    ///   - show: Shows a page.
    /// - Returns: How many items there were.
    /// - Throws: What `page` throws.
    static func all<Item>(
        _ limit: Int,
        largest: Int,
        _ page: (_ limit: Int, _ after: Item?) async throws -> [Item],
        show: ([Item]) -> Void
    ) async throws -> Int {
        var rest = limit == 0 ? Int.max : limit
        var count = 0
        var last: Item?
        while rest > 0 {
            let size = min(rest, largest)
            let items = try await page(size, last)
            show(items)
            count += items.count
            guard items.count == size else { break }
            rest -= size
            last = items.last
        }
        if rest == 0, try await !page(1, last).isEmpty {
            StandardError.line("recorder: there are more than these; --limit 0 shows all")
        }
        return count
    }
}
