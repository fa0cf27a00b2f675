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
    private var young: [StreamID: SealingKey] = [:]
    private var old: [StreamID: SealingKey] = [:]

    /// How many streams and subjects are remembered at most.
    private static let limit = 100_000

    /// The key of a stream or a subject.
    subscript(stream: StreamID) -> SealingKey? {
        mutating get {
            if let key = young[stream] { return key }
            guard let key = old[stream] else { return nil }
            remember(key, of: stream)
            return key
        }
    }

    mutating func remember(_ key: SealingKey, of stream: StreamID) {
        if young.count >= Self.limit / 2 { (old, young) = (young, [:]) }
        young[stream] = key
    }

    /// Forgets a stream's key.
    mutating func forget(_ stream: StreamID) {
        young[stream] = nil
        old[stream] = nil
    }

    /// Remembers the subject's key for a session that starts, if it is known, so that its stream needs no look-up.
    mutating func note(_ subject: StreamID, of stream: StreamID) {
        guard let key = self[subject], self[stream] == nil else { return }
        remember(key, of: stream)
    }
}
