public import FoundationEssentials

/// The identity of an event in its stream: a second append of the same id to the same stream is the same append.
public struct EventID: Hashable, Sendable, CustomStringConvertible {
    /// The UUID itself.
    public let uuid: UUID

    /// Names the event by this UUID, of any version.
    public init(_ uuid: UUID) { self.uuid = uuid }

    /// Reads the 36 characters of RFC 9562's text form, in either case; nil for anything else.
    public init?(_ text: String) {
        guard let uuid = UUID(text: text) else { return nil }
        self.uuid = uuid
    }

    /// Makes a UUIDv7 of a moment, with 74 random bits. Two ids of the same millisecond have no order.
    public static func generate(at moment: Timestamp) -> EventID { EventID(UUID(version7At: moment)) }

    /// The text form, lower case.
    public var description: String { uuid.text }

    /// Whether both are the same UUID.
    public static func == (left: EventID, right: EventID) -> Bool { left.uuid.isSame(as: right.uuid) }

    /// Hashes both halves: in UUIDs of version 1, the second half is the same throughout a process.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(uuid.high)
        hasher.combine(uuid.low)
    }
}

extension UUID {
    /// Makes a UUIDv7 (RFC 9562, section 5.7) of a moment: 48 bits of milliseconds, then 74 random bits.
    ///
    /// A moment before 1970 counts as 1970, because the layout has no sign.
    package init(version7At moment: Timestamp) {
        var source = SystemRandomNumberGenerator()
        self.init(version7At: moment, randomHigh: source.next(), randomLow: source.next())
    }

    /// Makes a UUIDv7 of a moment with given random bits: 12 of `randomHigh`, 62 of `randomLow`.
    package init(version7At moment: Timestamp, randomHigh: UInt64, randomLow: UInt64) {
        let milliseconds = UInt64(max(0, moment.microseconds) / 1000) & 0xFFFF_FFFF_FFFF
        self.init(
            high: milliseconds << 16 | 0x7000 | randomHigh & 0xFFF,
            low: 0x8000_0000_0000_0000 | randomLow & 0x3FFF_FFFF_FFFF_FFFF
        )
    }
}
