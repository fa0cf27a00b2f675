internal import EventModel
internal import PayloadCodec
internal import Simulator

/// A thousand simulated events, the same each time.
struct Sample {
    /// As producers send them.
    let lines: [[UInt8]]
    /// The same, read.
    let events: [EventLine]
    /// Payloads of earlier sessions, as long as a dictionary may be.
    let dictionary: [UInt8]

    private static let count = 1_000
    private static let seed: UInt64 = 2026

    init() throws {
        guard let start = Timestamp("2026-06-01T08:00:00Z") else { preconditionFailure("the time is well-formed") }
        var simulator = ConversationSimulator(seed: Self.seed, startingAt: start)
        var earlier: [UInt8] = []
        while earlier.count < PayloadDictionary.sizeLimit {
            for line in simulator.nextSession().events { earlier += line.event.data }
        }
        dictionary = Array(earlier.suffix(PayloadDictionary.sizeLimit))
        var lines: [[UInt8]] = []
        while lines.count < Self.count {
            for line in simulator.nextSession().events.prefix(Self.count - lines.count) {
                var json: [UInt8] = []
                line.appendJSON(to: &json)
                lines.append(json)
            }
        }
        self.lines = lines
        events = try lines.map { try EventLine($0) }
    }
}
