internal import EventModel
package import Logging

/// What benchmarks share: the options, the server, the events.
package struct BenchmarkRun: Sendable {
    package let options: BenchmarkOptions
    package let server: BenchmarkServer
    let input: BenchmarkInput
    let logger: Logger
    /// Called with what is measured now.
    private let progress: @Sendable (String) -> Void
    /// Called with what is left out, and why.
    let notice: @Sendable (String) -> Void

    /// - Parameters:
    ///   - input: The events, read or made before the server starts, so that an unreadable file is reported at once.
    ///   - progress: Called with what is measured now.
    ///   - notice: Called with what is left out, and why.
    package init(
        _ options: BenchmarkOptions,
        of input: BenchmarkInput,
        on server: BenchmarkServer,
        logger: Logger,
        progress: @escaping @Sendable (String) -> Void = { _ in },
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.options = options
        self.server = server
        self.logger = logger
        self.progress = progress
        self.notice = notice
        self.input = input
    }

    /// Makes the measurements of a group.
    package func measure(_ group: BenchmarkGroup) async throws -> [Measurement] {
        var measurements: [Measurement] = []
        for benchmark in group.benchmarks { measurements += try await benchmark.measure(in: self) }
        return measurements
    }

    /// Measures something that has no limit.
    ///
    /// - Parameters:
    ///   - title: What to show meanwhile.
    ///   - subject: One round.
    func rounds<Value>(_ title: String, _ subject: () async throws -> Value) async throws -> [Value] {
        var rounds: [Value] = []
        for round in 1...max(1, options.rounds) {
            progress("\(title), round \(round) of \(options.rounds)")
            rounds.append(try await subject())
        }
        return rounds
    }

    /// Measures something and its limit in turn, so that other work of the machine affects both.
    ///
    /// - Parameters:
    ///   - title: What to show meanwhile.
    ///   - subject: One round of the recorder.
    ///   - limit: One round of what it is compared with.
    func rounds<Value, Limit>(
        _ title: String,
        _ subject: () async throws -> Value,
        against limit: () async throws -> Limit
    ) async throws -> [(value: Value, limit: Limit)] {
        var rounds: [(Value, Limit)] = []
        for round in 1...max(1, options.rounds) {
            progress("\(title), round \(round) of \(options.rounds)")
            if round.isMultiple(of: 2) {
                let limit = try await limit()
                rounds.append((try await subject(), limit))
            } else {
                let value = try await subject()
                rounds.append((value, try await limit()))
            }
        }
        return rounds
    }
}

extension Duration {
    /// Seconds as a number.
    var seconds: Double { self / .seconds(1) }
}
