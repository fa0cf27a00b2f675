import EventModel
import Foundation
import Postgres
import RecorderTesting
import Synchronization
import Testing

/// What a rebuild costs those who project beside it: the same work with one and without, by turns.
extension ScaleRun {
    /// What was measured once.
    private struct Measure {
        /// How long it took to project what was imported.
        var catchUp: Duration
        /// From an acknowledgement until the row can be read.
        var visible: [Duration]
    }

    /// The model whose rebuild goes on.
    private static let rebuilt = "conversation_turns"

    /// How many connections fold in the rebuild beside which is measured; `nil` for no rebuild.
    private static let neighbours: [Int?] = [nil, 1, 4]

    /// Measures each neighbour so many times, by turns, and prints the medians.
    func cost(rounds: Int) async throws {
        var measures = Self.neighbours.map { _ in [Measure]() }
        var number = 0
        for _ in 0..<rounds {
            for (place, parallelism) in Self.neighbours.enumerated() {
                number += 1
                let seed = 100 + number
                if let parallelism {
                    measures[place].append(try await beside(parallelism) { try await measure(seed) })
                } else {
                    measures[place].append(try await measure(seed))
                }
            }
        }
        for (parallelism, measures) in zip(Self.neighbours, measures) {
            let catchUps = measures.map(\.catchUp).sorted()
            let visible = measures.flatMap(\.visible).sorted()
            let name = parallelism.map { "beside a rebuild on \($0) connections" } ?? "without a rebuild"
            Journal.line(
                """
                \(name): \(increment) events projected by 2 workers in \
                \(Figure.seconds(catchUps[catchUps.count / 2])) (\(Figure.seconds(catchUps[0])) to \
                \(Figure.seconds(catchUps[catchUps.count - 1]))); \
                from acknowledged to readable: \(ModelReaders.Figures(times: visible))
                """
            )
        }
        _ = try await run("projections", "verify", Self.rebuilt)
    }

    /// How many events are caught up with at a time.
    private var increment: Int { max(500, events / 30) }

    private func measure(_ seed: Int) async throws -> Measure {
        _ = try await append(increment, seed: seed)
        let caughtUp = try await run("project", "--until-caught-up", "--workers", "2", "--json")
        return Measure(catchUp: caughtUp.time, visible: try await probe(events >= 100_000 ? 60 : 10))
    }

    // MARK: The rebuild beside

    /// Keeps a rebuild going while `body` runs.
    private func beside<R: Sendable>(_ parallelism: Int, _ body: () async throws -> R) async throws -> R {
        let isStopping = Mutex(false)
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let rebuilds = Task {
            defer { continuation.finish() }
            while !isStopping.withLock({ $0 }) {
                let process = try await RecorderProcess.start(
                    ["projections", "rebuild", Self.rebuilt, "--parallelism", "\(parallelism)"],
                    databaseURL: url,
                    log: log
                )
                while process.isRunning, !isStopping.withLock({ $0 }) {
                    if try await !query("select from projection_rebuilds where read > 0 limit 1").isEmpty {
                        continuation.yield()
                    }
                    try await Task.sleep(for: .milliseconds(50))
                }
                // Stopped like this it goes on the next time.
                process.send(SIGTERM)
                _ = await process.ended()
            }
        }
        for await _ in begun { break }
        do {
            let result = try await body()
            isStopping.withLock { $0 = true }
            try await rebuilds.value
            return result
        } catch {
            isStopping.withLock { $0 = true }
            _ = await rebuilds.result
            throw error
        }
    }

    // MARK: How soon a row can be read

    /// Appends single events at a rate, and waits for the row of each.
    private func probe(_ count: Int) async throws -> [Duration] {
        let projector = try await RecorderProcess.start(["project", "--workers", "2"], databaseURL: url, log: log)
        let producer = try await RecorderProcess.start(["append", "--json"], databaseURL: url, log: log)
        var answers = producer.lines.makeAsyncIterator()
        let configuration = PostgresConfiguration(url: url, schema: "recorder", applicationName: "probe")
        let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        var times: [Duration] = []
        let start = ContinuousClock.now
        // The first ones wait for the projector to take its shards.
        for number in -5..<count {
            let stream = StreamID.generate(at: .now())
            await producer.write(Array(#"{"stream":"\#(stream)","type":"session.started","data":{}}"#.utf8) + [0x0A])
            guard let answer = await answers.next(), answer.contains(#""version":1"#) else {
                throw CocoaError(.executableRuntimeMismatch)
            }
            let acknowledged = ContinuousClock.now
            let row = "select from conversation_sessions where id = '\(stream)'"
            while try await connection.text(unsafeSQL: row).isEmpty {
                try #require(
                    acknowledged.duration(to: .now) < .seconds(60),
                    "\(stream) was not projected: \(lastWords)"
                )
            }
            if number >= 0 { times.append(acknowledged.duration(to: .now)) }
            try await Task.sleep(until: start + .milliseconds(30) * (number + 6))
        }
        producer.closeInput()
        projector.send(SIGTERM)
        _ = await (producer.ended(), projector.ended())
        await connection.close()
        return times
    }
}
