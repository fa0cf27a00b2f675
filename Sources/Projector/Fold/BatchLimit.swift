internal import EventStore

/// How many events to read at a time: as many as are allowed, but fewer where events are heavy, so that memory stays
/// bounded, or where they take long, so that they are done before the server's answer is given up.
struct BatchLimit: Sendable {
    /// The most events.
    private let most: Int
    /// What the events of a batch weigh on average; `nil` before the first one.
    private var weight: Int?
    /// By what the number of events is divided, because more of them took too long.
    private var divisor = 1

    /// What the payloads of a batch may weigh together, in bytes as they are decoded.
    private static let heaviest = 16 << 20
    /// How many events are read before it is known what they weigh.
    private static let first = 1_000

    init(_ most: Int) { self.most = most }

    /// How many events to read now.
    var events: Int {
        let bearable = weight.map { max(1, Self.heaviest / max(1, $0)) } ?? Self.first
        return max(1, min(most, bearable) / divisor)
    }

    /// Halves the number of events, after a batch that was not done in time.
    mutating func shrink() {
        if events > 1 { divisor *= 2 }
    }

    /// Doubles it again, up to what it was, after a batch that was done in far less time.
    mutating func grow() { divisor = max(1, divisor / 2) }

    /// Records what the events of a batch weighed.
    mutating func weigh(events: Int, bytes: Int) {
        if events > 0 { weight = bytes / events }
    }
}

extension LogReader.Batch {
    /// What the events' payloads weigh together, in bytes as they are decoded.
    var weight: Int { events.reduce(0) { $0 + $1.decodedSize } }
}
