import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// Clients in other languages: Python with psycopg, and psql.
@Suite struct PsycopgTests {
    @Test(.timeLimit(.minutes(10)))
    func `Python, psql and an appender append to the same streams at once and all is right`() async throws {
        guard let python = try await PythonEnvironment.psycopg.python() else {
            try Test.cancel("psycopg cannot be installed: PyPI is not reached from here")
        }
        try await withStore { store, configuration in
            let streams = (0..<4).map { _ in StreamID.fresh() }
            let ledger = AppendLedger()
            let list = streams.map(\.description).joined(separator: ",")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for program in 0..<2 {
                    group.addTask {
                        let said = try await ChildProgram.run(
                            python,
                            [Self.script, configuration.url, list, "\(program)"]
                        )
                        #expect(said.lines.count == 300)
                        for line in said.lines { try Self.acknowledge(line, in: ledger) }
                    }
                }
                group.addTask {
                    let commands = streams.map { stream in
                        (0..<50).map { _ in
                            let id = EventID.fresh()
                            return "select '\(stream) \(id) ' || version from append_event("
                                + "'\(stream)', 'turn.started', '{\"by\": \"psql\"}', event_id => '\(id)');"
                        }.joined(separator: "\n")
                    }
                    let said = try await ChildProgram.run(
                        "psql",
                        ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", configuration.url],
                        input: "set search_path = recorder;\n" + commands.joined(separator: "\n")
                    )
                    #expect(said.lines.count == 200)
                    for line in said.lines { try Self.acknowledge(line, in: ledger) }
                }
                group.addTask {
                    try await store.withAppender { appender in
                        for number in 0..<400 {
                            let ids = [EventID.fresh(), EventID.fresh()]
                            ledger.acknowledge(try await appender.append(.of(ids, to: streams[number % 4])), ids)
                        }
                    }
                }
                try await group.waitForAll()
            }
            var stored: [RecordedEvent] = []
            for stream in streams { stored += try await store.read(stream, limit: 10_000) }
            #expect(stored.count == 1600)
            let log = try await store.readLog(limit: 10_000).events
            ledger.check(stored: stored, delivered: log)
            let texts = Set(stored.map { String(decoding: $0.data, as: UTF8.self) })
            #expect(texts.contains { $0.contains("zażółć") }, "text of other languages comes back")
        }
    }

    /// A line such as `stream id version`.
    private static func acknowledge(_ line: String, in ledger: AppendLedger) throws {
        let words = line.split(separator: " ").map(String.init)
        try #require(words.count == 3)
        let stream = try #require(StreamID(words[0]))
        let id = try #require(EventID(words[1]))
        ledger.acknowledge(id, in: stream, at: try #require(Int(words[2])))
    }

    /// The Python client.
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "append_with_psycopg.py").path(percentEncoded: false)
}
