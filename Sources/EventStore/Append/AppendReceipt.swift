public import EventModel

/// Says that an append to one stream is durable, and where its events are.
public struct AppendReceipt: Hashable, Sendable {
    /// The stream that was appended to.
    public let stream: StreamID
    /// The version of the append's first event; the others follow without gaps.
    public let firstVersion: Int
    /// Whether the events were stored by an earlier append with the same ids; nothing was stored this time.
    public let wasStoredBefore: Bool
    /// Held apart from the others, because most appends have one event and then need no array.
    private let firstPosition: Int64
    private let otherPositions: [Int64]

    /// - Parameter positions: At least one.
    init(stream: StreamID, firstVersion: Int, positions: ArraySlice<Int64>, wasStoredBefore: Bool) {
        guard let first = positions.first else { preconditionFailure("an append has at least one event") }
        self.stream = stream
        self.firstVersion = firstVersion
        self.wasStoredBefore = wasStoredBefore
        firstPosition = first
        otherPositions = Array(positions.dropFirst())
    }

    /// The events' positions in the log, in the order of the append.
    public var positions: [Int64] { [firstPosition] + otherPositions }

    /// The versions that the events have.
    public var versions: ClosedRange<Int> { firstVersion...(firstVersion + otherPositions.count) }
}
