/// An event as the log holds it.
public struct RecordedEvent: Hashable, Sendable {
    /// The stream that the event is in.
    public let stream: StreamID
    /// The event's identity in its stream.
    public let id: EventID
    /// What happened.
    public let type: EventType
    /// The event's place in its stream: 1, 2, 3 … without gaps.
    public let version: Int
    /// The event's place in the whole log, where there are gaps.
    public let position: Int64
    /// When it happened by the producer's clock, or by the recorder's if the producer gave no time.
    public let occurredAt: Timestamp
    /// When it was stored, by the database's clock.
    public let recordedAt: Timestamp
    /// The data: a JSON object in UTF-8, with the bytes that the producer sent.
    public let data: [UInt8]
    /// The metadata: a JSON object in UTF-8, with the bytes that the producer sent.
    public let metadata: [UInt8]
    /// The members of data and metadata whose values were erased, such as `data.userTranscript`; they are now `null`.
    /// If there are none, all bytes are the producer's.
    public let erased: [String]

    /// Creates an event from what was read from the log.
    public init(
        stream: StreamID,
        id: EventID,
        type: EventType,
        version: Int,
        position: Int64,
        occurredAt: Timestamp,
        recordedAt: Timestamp,
        data: [UInt8],
        metadata: [UInt8],
        erased: [String] = []
    ) {
        self.stream = stream
        self.id = id
        self.type = type
        self.version = version
        self.position = position
        self.occurredAt = occurredAt
        self.recordedAt = recordedAt
        self.data = data
        self.metadata = metadata
        self.erased = erased
    }
}
