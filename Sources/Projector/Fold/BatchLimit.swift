internal import EventStore

/// How many events to read at a time: the maximum, but fewer where events are large, so that memory stays bounded, or
/// slow, so that a batch is done before the wait for the server's answer times out.
struct BatchLimit: Sendable {
    /// The maximum number of events.
    private let most: Int
    /// The average decoded size of the last batch's events, in bytes; `nil` before the first batch.
    private var weight: Int?
    /// Divides the number of events after batches that took too long.
    private var divisor = 1

    /// The most bytes that a batch's payloads may take together once decoded.
    private static let heaviest = 16 << 20
    /// How many events to read before their size is known.
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

    /// Doubles the number again, up to what it was, after a batch that took far less time than allowed.
    mutating func grow() { divisor = max(1, divisor / 2) }

    /// Records the decoded size of a batch's events.
    mutating func weigh(events: Int, bytes: Int) {
        if events > 0 { weight = bytes / events }
    }
}

extension LogReader.Batch {
    /// The size of the events' payloads together, in bytes as they are decoded.
    var weight: Int { events.reduce(0) { $0 + $1.decodedSize } }
}
