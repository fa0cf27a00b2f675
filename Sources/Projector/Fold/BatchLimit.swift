internal import EventStore

/// How many events to read at a time: as many as are allowed, but fewer where events are heavy, so that memory stays bounded.
struct BatchLimit: Sendable {
    /// The most events.
    private let most: Int
    /// What the events of a batch weigh on average; `nil` before the first one.
    private var weight: Int?

    /// What the payloads of a batch may weigh together, in bytes as they are decoded.
    private static let heaviest = 16 << 20
    /// How many events are read before it is known what they weigh.
    private static let first = 1_000

    init(_ most: Int) { self.most = most }

    /// How many events to read now.
    var events: Int {
        guard let weight else { return min(most, Self.first) }
        return min(most, max(1, Self.heaviest / max(1, weight)))
    }

    /// Takes down what the events of a batch weighed.
    mutating func weigh(events: Int, bytes: Int) {
        if events > 0 { weight = bytes / events }
    }
}

extension LogReader.Batch {
    /// What the events' payloads weigh together, in bytes as they are decoded.
    var weight: Int { events.reduce(0) { $0 + $1.decodedSize } }
}
