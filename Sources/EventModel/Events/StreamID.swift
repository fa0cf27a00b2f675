public import FoundationEssentials

/// The name of a stream. A conversation's stream is its session's id, a UUIDv7; a user's is the user's id.
public struct StreamID: Hashable, Sendable, CustomStringConvertible {
    /// The UUID itself.
    public let uuid: UUID

    /// Names the stream by this UUID, of any version.
    public init(_ uuid: UUID) { self.uuid = uuid }

    /// Reads the 36 characters of RFC 9562's text form, in either case; nil for anything else.
    public init?(_ text: String) {
        guard let uuid = UUID(text: text) else { return nil }
        self.uuid = uuid
    }

    /// Makes an id for a stream that begins at `moment`: a UUIDv7, so that it lies in that time's partition.
    public static func generate(at moment: Timestamp) -> StreamID { StreamID(UUID(version7At: moment)) }

    /// The text form, lower case.
    public var description: String { uuid.text }

    /// Whether both are the same UUID.
    public static func == (left: StreamID, right: StreamID) -> Bool { left.uuid.isSame(as: right.uuid) }

    /// Hashes both halves: in UUIDs of version 1, the second half is the same throughout a process.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(uuid.high)
        hasher.combine(uuid.low)
    }
}
