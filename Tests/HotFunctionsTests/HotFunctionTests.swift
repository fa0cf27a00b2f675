import EventModel
import Testing

@testable import HotFunctions

@Suite struct HotFunctionTests {
    @Test func `each function does its work for every event of the sample`() throws {
        let functions = try HotFunction.all()
        #expect(Set(functions.map(\.name)).count == functions.count)
        let sample = try Sample()
        let payloads = sample.events.reduce(0) { $0 + $1.event.data.count + $1.event.metadata.count }
        for function in functions {
            let numbers = 0..<(sample.lines.count / function.events)
            let results = numbers.map(function.call)
            #expect(results.allSatisfy { $0 > 0 }, "\(function.name) fails")
            if function.name == "codec: decode a frame" { #expect(results.reduce(0, +) == payloads) }
            if function.name == "codec: encode a payload" { #expect(results.reduce(0, +) < payloads * 6 / 10) }
        }
    }

    @Test func `the sample is the same each time`() throws {
        #expect(try Sample().lines == Sample().lines)
    }
}
