public import EventModel

/// Says that an append to one stream is durable, and where its events are.
public struct AppendReceipt: Hashable, Sendable {
    /// The stream.
    public let stream: StreamID
    /// The version of the append's first event; the others follow without gaps.
    public let firstVersion: Int
    /// The events' positions in the log, in the order of the append.
    public let positions: [Int64]
    /// Whether the events were stored by an earlier append with the same ids; nothing was stored this time.
    public let wasStoredBefore: Bool

    /// The versions that the events have.
    public var versions: ClosedRange<Int> { firstVersion...(firstVersion + positions.count - 1) }
}
