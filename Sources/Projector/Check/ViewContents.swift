internal import EventModel

/// All rows of a projection's views, as JSON texts in order.
struct ViewContents: Sendable, Hashable {
    var rows: [String: [String]] = [:]

    var count: Int { rows.values.reduce(0) { $0 + $1.count } }

    /// The contents without some views.
    func dropping(_ views: [String]) -> ViewContents {
        ViewContents(rows: rows.filter { !views.contains($0.key) })
    }

    /// Says how other contents differ; `nil` if they do not.
    ///
    /// - Parameter other: The contents that another way of delivery produced from the same events.
    func difference(to other: ViewContents) -> String? {
        for view in rows.keys.sorted() {
            let (ours, theirs) = (rows[view] ?? [], other.rows[view] ?? [])
            guard ours != theirs else { continue }
            let lost = Self.surplus(of: ours, over: theirs)
            let gained = Self.surplus(of: theirs, over: ours)
            var text = "\(view) has \(theirs.count) rows instead of \(ours.count), \(gained.count) of them different"
            if let row = lost.first {
                text += gained.isEmpty ? "; missing is \(Self.short(row))" : "; " + Self.change(row, among: gained)
            } else if let row = gained.first {
                text += "; too many is \(Self.short(row))"
            }
            return text
        }
        return nil
    }

    private static func surplus(of rows: [String], over others: [String]) -> [String] {
        var counts: [String: Int] = [:]
        for row in others { counts[row, default: 0] += 1 }
        return rows.filter { row in
            counts[row, default: 0] -= 1
            return counts[row, default: 0] < 0
        }
    }

    /// Describes how a row differs from the most similar one of the others.
    private static func change(_ row: String, among others: [String]) -> String {
        let members = members(of: row)
        func shared(_ other: [JSONValue.Member]) -> [JSONValue.Member] { members.filter(other.contains) }
        let candidates = others.prefix(200).map { Self.members(of: $0) }
        guard let nearest = candidates.max(by: { shared($0).count < shared($1).count }) else { return short(row) }
        let same = shared(nearest)
        let changes = members.filter { !same.contains($0) }.prefix(5).map { member in
            let found = nearest.first { $0.name == member.name }?.value.json ?? "nothing"
            return "\(member.name) is \(short(found)) instead of \(short(member.value.json))"
        }
        let place = same.prefix(3).map { "\($0.name) = \(short($0.value.json))" }.joined(separator: ", ")
        return "where \(place): \(changes.joined(separator: ", "))"
    }

    private static func members(of row: String) -> [JSONValue.Member] {
        guard case .object(let members) = try? JSONValue(json: Array(row.utf8)) else { return [] }
        return members
    }

    private static func short(_ text: String) -> String {
        text.count > 300 ? text.prefix(300) + "…" : text
    }
}
