internal import EventModel
internal import Foundation
internal import Simulator

/// The events that are appended, as lines of JSON, each stream's in order.
package struct BenchmarkInput: Sendable {
    /// One event.
    struct Line: Sendable {
        let stream: StreamID
        let json: [UInt8]
    }

    /// The events of a round, in the order in which services would have appended them.
    let lines: [Line]
    /// When the first simulated session begins; `nil` if the events come from a file.
    private let simulatedFrom: Timestamp?

    private static let seed: UInt64 = 2026

    /// Simulates events, or reads a file of them. A file with fewer than a round uses is repeated, each time for new
    /// streams: otherwise what a rebuild or an import costs before its first event would pass for the cost of events.
    ///
    /// - Throws: ``BenchmarkError`` with `.input`.
    package init(_ options: BenchmarkOptions) throws {
        guard let path = options.input else {
            let now = Timestamp.now()
            simulatedFrom = now
            var lines: [Line] = []
            lines.reserveCapacity(options.events)
            Self.simulate(options.events, from: now) { lines.append($0) }
            self.lines = lines
            return
        }
        simulatedFrom = nil
        guard let file = FileManager.default.contents(atPath: path) else {
            throw BenchmarkError(.input, "\(path) cannot be read: name a file of events, one JSON object a line")
        }
        var lines: [Line] = []
        for (index, json) in file.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
        where !json.isEmpty {
            guard lines.count < options.events else { break }
            let json = [UInt8](json)
            do {
                lines.append(Line(stream: try EventLine(json, number: index + 1).stream, json: json))
            } catch {
                throw BenchmarkError(.input, "\(path): \(error)")
            }
        }
        guard !lines.isEmpty else { throw BenchmarkError(.input, "\(path) holds no event") }
        var given = lines
        try Self.renew(lines, options.events - lines.count) { given.append($0) }
        self.lines = given
    }

    /// Passes `count` events to `body`, one after another, and holds no more of them than ``lines``: simulated ones, or
    /// the file's, repeated for new streams when the file has no more.
    ///
    /// - Throws: What `body` throws.
    func forEach(_ count: Int, _ body: (Line) throws -> Void) throws {
        if let simulatedFrom { return try Self.simulate(count, from: simulatedFrom, body) }
        for line in lines.prefix(count) { try body(line) }
        try Self.renew(lines, count - lines.count, body)
    }

    /// Passes `count` events to `body`: the lines again and again, each time for new streams.
    private static func renew(_ lines: [Line], _ count: Int, _ body: (Line) throws -> Void) throws {
        var left = count
        while left > 0 {
            for line in try renewed(Array(lines.prefix(left))) { try body(line) }
            left -= lines.count
        }
    }

    /// Simulates sessions one after another, the first of them now, so that they go to the partitions that a live log
    /// writes; a benchmark's producers decide how many are under way at once.
    private static func simulate(_ count: Int, from start: Timestamp, _ body: (Line) throws -> Void) rethrows {
        var simulator = ConversationSimulator(seed: seed, startingAt: start)
        var left = count
        while left > 0 {
            let events = simulator.nextSession().events.prefix(left)
            for event in events {
                var json: [UInt8] = []
                event.appendJSON(to: &json)
                try body(Line(stream: event.stream, json: json))
            }
            left -= events.count
        }
    }

    /// Divides the lines among producers: each stream belongs to one, and all get about as many lines.
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
            let event = try EventLine(line.json).event
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
