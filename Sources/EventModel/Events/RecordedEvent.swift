/// An event as the log holds it.
public struct RecordedEvent: Hashable, Sendable {
    /// The stream that it is in.
    public let stream: StreamID
    /// Its identity in the stream.
    public let id: EventID
    /// What happened.
    public let type: EventType
    /// Its place in the stream: 1, 2, 3 … without gaps.
    public let version: Int
    /// Its place in the whole log; there are gaps.
    public let position: Int64
    /// When it happened by the producer's clock, or by the recorder's if the producer gave no time.
    public let occurredAt: Timestamp
    /// When it was stored, by the database's clock.
    public let recordedAt: Timestamp
    /// A JSON object, UTF-8, in the bytes that the producer sent.
    public let data: [UInt8]
    /// A JSON object, UTF-8, in the bytes that the producer sent.
    public let metadata: [UInt8]
    /// The members of data and metadata whose values were erased, such as `data.userTranscript`: a `null` stands there.
    /// None for other events, whose bytes are those that the producer sent.
    public let erased: [String]

    /// Puts together what was read from the log.
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
