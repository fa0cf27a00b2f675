internal import EventModel
internal import PayloadCodec

/// A subject's key, as used for sealing.
struct SealingKey: Sendable {
    let id: Int64
    /// `nil` if it was destroyed; what it would seal is then dropped.
    let key: SubjectKey?

    init(id: Int64, _ state: PayloadKeys.State) {
        self.id = id
        key = if case .key(let key) = state { key } else { nil }
    }
}

/// Remembers keys by stream and by subject, in two halves: when the young one is full, the old one is forgotten.
struct RememberedKeys {
    private enum Known {
        case key(SealingKey)
        /// The user whom the stream's first start names, while its key is not known: the database may not have heard of
        /// the stream yet.
        case subject(StreamID)
    }

    private var young: [StreamID: Known] = [:]
    private var old: [StreamID: Known] = [:]

    /// How many streams and subjects are remembered at most.
    private static let limit = 100_000

    /// The key of a stream or a subject.
    subscript(stream: StreamID) -> SealingKey? {
        mutating get {
            if case .key(let key) = known(of: stream) { key } else { nil }
        }
    }

    /// The user whom a stream's first start named, if that is all that is known of it.
    mutating func subject(of stream: StreamID) -> StreamID? {
        if case .subject(let subject) = known(of: stream) { subject } else { nil }
    }

    private mutating func known(of stream: StreamID) -> Known? {
        if let known = young[stream] { return known }
        guard let known = old[stream] else { return nil }
        remember(known, of: stream)
        return known
    }

    mutating func remember(_ key: SealingKey, of stream: StreamID) { remember(.key(key), of: stream) }

    private mutating func remember(_ known: Known, of stream: StreamID) {
        if young.count >= Self.limit / 2 { (old, young) = (young, [:]) }
        young[stream] = known
    }

    /// Forgets what is known of a stream.
    mutating func forget(_ stream: StreamID) {
        young[stream] = nil
        old[stream] = nil
    }

    /// Remembers the user whom a start names. The first start counts, as it does in the database.
    ///
    /// - Parameter isNew: Whether the append fails if the stream has begun before. Otherwise only the database knows
    ///   who the stream is about, so its key is looked up even if the user's is known.
    mutating func note(_ subject: StreamID, of stream: StreamID, isNew: Bool) {
        guard known(of: stream) == nil else { return }
        let key = isNew ? self[subject] : nil
        remember(key.map(Known.key) ?? .subject(subject), of: stream)
    }
}
