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

    /// The values of an event that are personal, where they lie.
    struct Found: Sendable {
        var data: [Range<Int>] = []
        var metadata: [Range<Int>] = []

        var isEmpty: Bool { data.isEmpty && metadata.isEmpty }
    }

    /// The names that are personal in events of one type.
    private struct Names: Sendable {
        var data: [[UInt8]] = []
        var metadata: [[UInt8]] = []
    }

    let declarations: [Declaration]
    private let known = Mutex<[EventType: Names]>([:])

    init(_ declarations: [Declaration]) { self.declarations = declarations }

    /// Finds what is personal in an event: values that are there, `null` not among them.
    func find(in event: EventDraft) -> Found {
        let names = names(of: event.type)
        return Found(
            data: Self.find(names.data, in: event.data),
            metadata: Self.find(names.metadata, in: event.metadata)
        )
    }

    private func names(of type: EventType) -> Names {
        known.withLock { known in
            if let names = known[type] { return names }
            var names = Names()
            for declaration in declarations where declaration.matches(type) {
                if declaration.isInMetadata {
                    names.metadata.append(Array(declaration.field.utf8))
                } else {
                    names.data.append(Array(declaration.field.utf8))
                }
            }
            // Types may be made up by producers without end.
            if known.count < 4096 { known[type] = names }
            return names
        }
    }

    private static func find(_ names: [[UInt8]], in json: [UInt8]) -> [Range<Int>] {
        // `{}` and shorter than any name with its quotes.
        guard !names.isEmpty, json.count > 6 else { return [] }
        var found: [Range<Int>] = []
        var members = JSONMembers(of: json.span, trusted: true)
        // A draft is JSON: it was checked when it was made.
        while let member = try? members.next(in: json.span) {
            guard member.value.kind != .null, names.contains(where: { member.key.equals($0, in: json.span) }) else {
                continue
            }
            found.append(member.value.range)
        }
        return found
    }
}
