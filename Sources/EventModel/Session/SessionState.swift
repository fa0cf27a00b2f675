/// What a conversation is doing.
public enum SessionState: String, CaseIterable, Hashable, Sendable {
    /// Nobody speaks and nothing runs; every session starts here.
    case idle
    /// The user speaks, or is about to.
    case listening
    /// Recognition, retrieval or generation runs.
    case processing
    /// The agent speaks.
    case speaking
    /// Somebody spoke over somebody else.
    case interrupted
    /// Something failed.
    case error

    /// The states that may follow this one, by the table of `events.md`.
    public var successors: Set<SessionState> {
        switch self {
        case .idle: [.listening, .processing, .error]
        case .listening: [.processing, .idle, .error]
        case .processing: [.speaking, .listening, .interrupted, .idle, .error]
        case .speaking: [.listening, .interrupted, .idle, .processing, .error]
        case .interrupted: [.listening, .processing, .idle, .error]
        case .error: [.idle, .listening]
        }
    }
}
