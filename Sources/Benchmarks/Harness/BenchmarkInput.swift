internal import EventModel
internal import Foundation
internal import Simulator

/// The events that are appended, as lines of JSON, each stream's in order.
struct BenchmarkInput: Sendable {
    /// One event.
    struct Line: Sendable {
        let stream: StreamID
        let json: [UInt8]
    }

    /// In the order of time, as services would have appended them.
    let lines: [Line]
    /// `simulated` or the file's name.
    let name: String

    private static let seed: UInt64 = 2026

    /// Makes simulated events, or reads a file of them.
    ///
    /// - Throws: ``BenchmarkError`` with `.input`.
    init(_ options: BenchmarkOptions) throws {
        guard let path = options.input else {
            name = "simulated"
            lines = Self.simulated(options.events)
            return
        }
        name = path
        guard let file = FileManager.default.contents(atPath: path) else {
            throw BenchmarkError(.input, "\(path) cannot be read: name a file of events, one JSON object a line")
        }
        var lines: [Line] = []
        for (number, json) in file.split(separator: 0x0A).prefix(options.events).enumerated() {
            let json = [UInt8](json)
            do {
                lines.append(Line(stream: try EventLine(json.span, number: number + 1).stream, json: json))
            } catch {
                throw BenchmarkError(.input, "\(path): \(error)")
            }
        }
        guard !lines.isEmpty else { throw BenchmarkError(.input, "\(path) holds no event") }
        self.lines = lines
    }

    /// Many sessions that overlap: as many are under way at once as there are producers in a benchmark.
    private static func simulated(_ count: Int) -> [Line] {
        guard let start = Timestamp("2026-06-01T08:00:00Z") else { preconditionFailure("the time is well-formed") }
        var simulator = ConversationSimulator(seed: seed, startingAt: start)
        var lines: [Line] = []
        lines.reserveCapacity(count)
        while lines.count < count {
            for event in simulator.nextSession().events.prefix(count - lines.count) {
                var json: [UInt8] = []
                event.appendJSON(to: &json)
                lines.append(Line(stream: event.stream, json: json))
            }
        }
        return lines
    }

    /// The lines of each of so many producers: a stream belongs to one, and each has about as many.
    func shares(_ producers: Int) -> [[Line]] {
        var shares = [[Line]](repeating: [], count: producers)
        var owners: [StreamID: Int] = [:]
        for line in lines {
            let owner =
                owners[line.stream]
                ?? shares.indices.min { shares[$0].count < shares[$1].count } ?? 0
            owners[line.stream] = owner
            shares[owner].append(line)
        }
        return shares
    }
}

extension BenchmarkInput {
    /// The same events for new streams, under new ids.
    static func renewed(_ lines: [Line]) throws -> [Line] {
        var streams: [StreamID: StreamID] = [:]
        return try lines.map { line in
            let event = try EventLine(line.json.span).event
            let stream = streams[line.stream] ?? StreamID(EventID.generate(at: .now()).uuid)
            streams[line.stream] = stream
            let copy = EventDraft(
                valid: .generate(at: .now()),
                type: event.type,
                occurredAt: event.occurredAt,
                data: event.data,
                metadata: event.metadata
            )
            var json: [UInt8] = []
            EventLine(stream: stream, event: copy).appendJSON(to: &json)
            return Line(stream: stream, json: json)
        }
    }
}
