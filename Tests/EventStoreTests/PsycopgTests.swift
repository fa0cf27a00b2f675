import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// Clients in other languages: Python with psycopg, and psql.
@Suite struct PsycopgTests {
    @Test(.timeLimit(.minutes(3)))
    func `Python, psql and an appender append to the same streams at once and all is right`() async throws {
        guard let python = try await PythonEnvironment.psycopg() else {
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
                            ["-c", Self.script, configuration.url, list, "\(program)"]
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

    /// Appends 300 events, in single calls and in calls for two streams, and prints what it was told. Every tenth call is
    /// made twice: the second must answer as the first did.
    private static let script = """
        import json, random, sys, uuid
        import psycopg

        url, streams, number = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
        random.seed(number)
        with psycopg.connect(url, autocommit=True, options="-c search_path=recorder") as connection:
            for call in range(100):
                one, two = random.sample(streams, 2)
                ids = [str(uuid.uuid4()) for _ in range(3)]
                events = [
                    {"stream": stream, "id": id, "type": "turn.started", "data": {"by": "psycopg", "text": "zażółć 😀"}}
                    for stream, id in zip((one, two), ids)
                ]
                answers = []
                for _ in range(2 if call % 10 == 0 else 1):
                    rows = connection.execute(
                        "select stream, event_id, version from append_events(%s)", [json.dumps(events)]
                    ).fetchall()
                    version = connection.execute(
                        "select version from append_event(%s, 'turn.started', %s, event_id => %s)",
                        [one, json.dumps({"by": "psycopg"}), ids[2]],
                    ).fetchone()[0]
                    answers.append(rows + [(one, ids[2], version)])
                assert all(answer == answers[0] for answer in answers), answers
                for stream, id, version in answers[0]:
                    print(stream, id, version)
            try:
                connection.execute(
                    "select * from append_event(%s, 'turn.started', '{}', expected_version => 0)", [streams[0]]
                )
                sys.exit("a wrong expected version was accepted")
            except psycopg.Error as error:
                assert error.sqlstate == "RC001", error
        """
}
