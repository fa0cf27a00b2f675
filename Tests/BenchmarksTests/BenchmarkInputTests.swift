import EventModel
import Foundation
import Testing

@testable import Benchmarks

@Suite struct BenchmarkInputTests {
    @Test func `simulated events go on as they began`() throws {
        let input = try BenchmarkInput(BenchmarkOptions(events: 100, program: ""))
        #expect(input.lines.count == 100)
        var given: [[UInt8]] = []
        try input.forEach(1_000) { given.append($0.json) }
        #expect(given.count == 1_000)
        #expect(Array(given.prefix(100)) == input.lines.map(\.json))
        #expect(Set(given).count == 1_000)
    }

    @Test func `a file that is too short is given again for new streams`() throws {
        let lines = try simulated(25)
        let input = try file(lines) { try BenchmarkInput(BenchmarkOptions(events: 40, input: $0, program: "")) }
        #expect(input.lines.count == 40)
        var given: [BenchmarkInput.Line] = []
        try input.forEach(60) { given.append($0) }
        #expect(given.prefix(40).map(\.json) == input.lines.map(\.json))
        let events = try given.map { try EventLine($0.json) }
        #expect(Array(given.prefix(25)).map(\.json) == lines)
        #expect(events.map(\.event.data) == (0..<60).map { events[$0 % 40 % 25].event.data })
        #expect(Set(events.map(\.event.id)).count == 60)
        let streams = [given[..<25], given[25..<40], given[40...]].map { Set($0.map(\.stream)) }
        #expect(streams[0].isDisjoint(with: streams[1]) && streams[1].isDisjoint(with: streams[2]))
        #expect(zip(given, events).allSatisfy { $0.stream == $1.stream })
    }

    @Test func `what is no event is named by its line`() throws {
        let lines = [try simulated(1)[0], [], Array("{\"stream\": 7}".utf8)]
        let error = #expect(throws: BenchmarkError.self) {
            try file(lines) { try BenchmarkInput(BenchmarkOptions(input: $0, program: "")) }
        }
        #expect(error?.code == .input)
        #expect(error?.message.contains("line 3") == true)
    }

    @Test func `a stream has one producer, and producers have about as many events`() throws {
        let input = try BenchmarkInput(BenchmarkOptions(events: 5_000, program: ""))
        let shares = input.shares(4)
        #expect(shares.count == 4)
        #expect(shares.allSatisfy { (1_000...1_500).contains($0.count) })
        let owners = shares.map { Set($0.map(\.stream)) }
        #expect(owners.reduce(0) { $0 + $1.count } == Set(input.lines.map(\.stream)).count)
    }

    private func simulated(_ count: Int) throws -> [[UInt8]] {
        try BenchmarkInput(BenchmarkOptions(events: count, program: "")).lines.map(\.json)
    }

    private func file<R>(_ lines: [[UInt8]], _ body: (String) throws -> R) throws -> R {
        let file = FileManager.default.temporaryDirectory.appending(path: "benchmark-input-\(UUID()).jsonl")
        try Data(lines.joined(separator: [0x0A])).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try body(file.path(percentEncoded: false))
    }
}
