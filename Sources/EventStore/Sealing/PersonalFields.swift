internal import EventModel
internal import Synchronization

/// Which members of events are personal, as the table `personal_fields` declares it.
final class PersonalFields: Sendable {
    /// A row of the table.
    struct Declaration: Sendable, Hashable {
        /// A type, `noun.*`, or `*`.
        let pattern: String
        let isInMetadata: Bool
        /// The member's name.
        let field: String

        /// Whether it is meant for events of a type.
        func matches(_ type: EventType) -> Bool {
            pattern == "*" || pattern == type.name
                || (pattern.hasSuffix(".*") && type.name.hasPrefix(pattern.dropLast()))
        }
    }

    /// The values of an event that are personal, where they lie in its data and in its metadata.
    struct Found: Sendable {
        var data: [Range<Int>] = []
        var metadata: [Range<Int>] = []

        var isEmpty: Bool { data.isEmpty && metadata.isEmpty }
    }

    /// The names that are personal in events of one type.
    private final class Names: Sendable {
        let data: MemberNames
        let metadata: MemberNames

        init(_ declarations: [Declaration], of type: EventType) {
            let matching = declarations.filter { $0.matches(type) }
            data = MemberNames(matching.filter { !$0.isInMetadata }.map(\.field))
            metadata = MemberNames(matching.filter(\.isInMetadata).map(\.field))
        }
    }

    let declarations: [Declaration]
    /// The names of types that logs are full of: found without a lock.
    private let frequent: [Names]
    private let others = Mutex<[EventType: Names]>([:])

    init(_ declarations: [Declaration]) {
        self.declarations = declarations
        frequent = EventType.frequent.map { Names(declarations, of: $0) }
    }

    /// Finds what is personal in an event: values that are there, `null` not among them.
    func find(in event: EventDraft) -> Found {
        let names = names(of: event.type)
        return Found(
            data: names.data.values(in: event.json, event.dataRange),
            metadata: names.metadata.values(in: event.json, event.metadataRange)
        )
    }

    private func names(of type: EventType) -> Names {
        if let place = type.place { return frequent[Int(place)] }
        return others.withLock { others in
            if let names = others[type] { return names }
            let names = Names(declarations, of: type)
            // Types may be made up by producers without end.
            if others.count < 4096 { others[type] = names }
            return names
        }
    }
}

/// Names of members that are looked for in objects.
private struct MemberNames: Sendable {
    private let names: [[UInt8]]
    /// A bit for each length that one of them has, those from 63 on together: most members are told apart by it.
    private let lengths: UInt64

    init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }
        lengths = self.names.reduce(0) { $0 | Self.bit($1.count) }
    }

    private static func bit(_ length: Int) -> UInt64 { 1 &<< UInt64(min(length, 63)) }

    /// Where in an object the values of members with these names lie, but for `null`: counted from where it begins itself.
    func values(in json: [UInt8], _ object: Range<Int>) -> [Range<Int>] {
        // `{}` and shorter than any name with its quotes.
        guard !names.isEmpty, object.count > 6 else { return [] }
        var found: [Range<Int>] = []
        let bytes = json.span
        var members = JSONMembers(of: bytes, in: object, trusted: true)
        // A draft is JSON: it was checked when it was made.
        while let member = try? members.next(in: bytes) {
            guard member.value.kind != .null, isOne(member.key, in: bytes) else { continue }
            let range = member.value.range
            found.append((range.lowerBound - object.lowerBound)..<(range.upperBound - object.lowerBound))
        }
        return found
    }

    private func isOne(_ key: JSONSlice, in bytes: Span<UInt8>) -> Bool {
        // A name with escapes is longer than what it says.
        guard key.hasEscapes || lengths & Self.bit(key.range.count - 2) != 0 else { return false }
        for name in names where key.equals(name, in: bytes) { return true }
        return false
    }
}
