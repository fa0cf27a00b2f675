internal import EventModel
internal import PayloadCodec
internal import Synchronization

/// Which members of events are personal, as declared in the table `personal_fields`.
final class PersonalFields: Sendable {
    /// A row of the table.
    struct Declaration: Sendable, Hashable {
        /// An event type, `noun.*`, or `*`.
        let pattern: String
        let isInMetadata: Bool
        /// The member's name.
        let field: String

        /// Whether it applies to events of a type.
        func matches(_ type: EventType) -> Bool {
            pattern == "*" || pattern == type.name
                || (pattern.hasSuffix(".*") && type.name.hasPrefix(pattern.dropLast()))
        }
    }

    /// Where an event's personal values lie in its data and in its metadata.
    struct Found: Sendable {
        var data: [Range<Int>] = []
        var metadata: [Range<Int>] = []

        var isEmpty: Bool { data.isEmpty && metadata.isEmpty }

        /// How these values are sealed under their subject's key.
        func seal(of event: EventDraft, in stream: StreamID, under key: SealingKey) -> PayloadSeal {
            PayloadSeal(
                data: data,
                metadata: metadata,
                keyID: key.id,
                key: key.key,
                identity: PayloadIdentity(stream: stream.uuid, event: event.id.uuid)
            )
        }
    }

    /// The names of personal members in events of one type.
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
    /// The names for the frequent types, found without a lock.
    private let frequent: [Names]
    private let others = Mutex<[EventType: Names]>([:])

    init(_ declarations: [Declaration]) {
        self.declarations = declarations
        frequent = EventType.frequent.map { Names(declarations, of: $0) }
    }

    /// Finds the personal values of an event, leaving out `null`.
    ///
    /// - Parameter found: Receives the result, in place of what it held. Pass the same one for many events to reuse its
    ///   memory.
    func find(in event: EventDraft, _ found: inout Found) {
        let names = names(of: event.type)
        names.data.values(in: event.json, event.dataRange, &found.data)
        names.metadata.values(in: event.json, event.metadataRange, &found.metadata)
    }

    /// Whether any of some events holds something personal.
    func concern(_ events: some Sequence<EventDraft>) -> Bool {
        var found = Found()
        return events.contains { event in
            find(in: event, &found)
            return !found.isEmpty
        }
    }

    private func names(of type: EventType) -> Names {
        if let place = type.place { return frequent[Int(place)] }
        return others.withLock { others in
            if let names = others[type] { return names }
            let names = Names(declarations, of: type)
            // Producers may invent types without end.
            if others.count < 4096 { others[type] = names }
            return names
        }
    }
}

/// The member names to look for in objects.
private struct MemberNames: Sendable {
    private let names: [[UInt8]]
    /// A bit for each length among the names, all from 63 on sharing one: the length alone rules out most members.
    private let lengths: UInt64
    /// The first bytes of the names, if there are at most two: most objects hold no string that begins with one of
    /// them.
    private let firsts: (UInt64, UInt64)?

    private static let ones: UInt64 = 0x0101_0101_0101_0101

    init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }
        lengths = self.names.reduce(0) { $0 | Self.bit($1.count) }
        let firsts = Set(self.names.compactMap(\.first)).sorted()
        self.firsts =
            (1...2).contains(firsts.count)
            ? (UInt64(firsts[0]) &* Self.ones, UInt64(firsts[firsts.count - 1]) &* Self.ones) : nil
    }

    private static func bit(_ length: Int) -> UInt64 { 1 &<< UInt64(min(length, 63)) }

    /// Finds where in an object the values of members with these names lie, counted from the object's start; leaves out
    /// `null`.
    func values(in json: [UInt8], _ object: Range<Int>, _ found: inout [Range<Int>]) {
        found.removeAll(keepingCapacity: true)
        // An object shorter than `{"a":1}` has no named member.
        guard !names.isEmpty, object.count > 6, mayHold(json, object) else { return }
        let bytes = json.span
        var members = JSONMembers(of: bytes, in: object, trusted: true)
        // A draft is valid JSON: it was checked when it was made.
        while let member = try? members.next(in: bytes) {
            let range = member.value.range
            // No other value begins with `n`.
            guard bytes[range.lowerBound] != UInt8(ascii: "n"), isOne(member.key, in: bytes) else { continue }
            found.append((range.lowerBound - object.lowerBound)..<(range.upperBound - object.lowerBound))
        }
    }

    /// Whether an object may hold a string that begins like a name, or an escape, which may hide a name. Checks eight
    /// bytes at a time.
    private func mayHold(_ json: [UInt8], _ object: Range<Int>) -> Bool {
        guard let firsts else { return true }
        return unsafe json.withUnsafeBytes { bytes in
            var offset = object.lowerBound
            // Bytes that a word reads beyond the object can only cause a needless closer look.
            while offset + 8 < bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
                let next = unsafe bytes.loadUnaligned(fromByteOffset: offset + 1, as: UInt64.self).littleEndian
                let begins =
                    Self.zeros(word ^ (Self.ones &* 0x22)) & (Self.zeros(next ^ firsts.0) | Self.zeros(next ^ firsts.1))
                if (begins | Self.zeros(word ^ (Self.ones &* 0x5C))) & (Self.ones &* 0x80) != 0 { return true }
                offset += 8
                if offset >= object.upperBound { return false }
            }
            return true
        }
    }

    /// Sets the highest bit of each byte that is zero, and maybe of others.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }

    private func isOne(_ key: JSONSlice, in bytes: Span<UInt8>) -> Bool {
        // A name with escapes is longer than its text.
        guard key.hasEscapes || lengths & Self.bit(key.range.count - 2) != 0 else { return false }
        for name in names where key.equals(name, in: bytes) { return true }
        return false
    }
}
