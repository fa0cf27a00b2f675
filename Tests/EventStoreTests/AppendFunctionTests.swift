import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// `append_event` and `append_events` obey the rules that an appender obeys.
@Suite struct AppendFunctionTests {
    /// A line of JSON for `append_events`.
    private func line(_ stream: StreamID, _ id: EventID, _ expected: String = "\"any\"") -> String {
        #"{"stream":"\#(stream)","id":"\#(id)","type":"turn.started","expectedVersion":\#(expected)}"#
    }

    /// The versions that an append gets, or the SQLSTATE and the found version that it is refused with.
    private func append(_ lines: [String], on connection: PostgresConnection) async throws -> String {
        do {
            let rows = try await connection.text(
                unsafeSQL: "select version from append_events('[\(lines.joined(separator: ","))]')"
            )
            return rows.compactMap { $0[0] }.joined(separator: " ")
        } catch let error as PostgresError {
            let found = error.detail?.split(separator: "\"found\": ").last.map { $0.prefix { $0.isNumber } } ?? ""
            return "\(error.sqlState ?? "") \(found)"
        }
    }

    private func expect(_ lines: [String], _ end: String, on connection: PostgresConnection) async throws {
        let found = try await append(lines, on: connection)
        #expect(found == end)
    }

    @Test(
        arguments: [
            (0, "\"any\"", "1"), (0, "\"none\"", "1"), (0, "\"exists\"", "RC001 0"), (0, "0", "1"), (0, "1", "RC001 0"),
            (2, "\"any\"", "3"), (2, "\"none\"", "RC001 2"), (2, "\"exists\"", "3"), (2, "2", "3"), (2, "1", "RC001 2"),
            (2, "3", "RC001 2"), (2, "-1", "RC002 "), (2, "\"some\"", "RC002 "), (2, "1000000000", "RC001 2"),
            (2, "9223372036854775807", "RC001 2"), (2, "9223372036854775808", "RC002 "), (2, "2.0", "RC002 "),
            (0, "0.0", "RC002 "), (2, "2e0", "3"),
            (2, "2.5", "RC002 "), (2, "1e400", "RC002 "),
        ]
    )
    func `an append succeeds only when the stream is as expected`(held: Int, expected: String, end: String) async throws
    {
        try await withTestConnection { connection in
            let stream = StreamID.fresh()
            for _ in 0..<held { _ = try await append([line(stream, .fresh())], on: connection) }
            try await expect([line(stream, .fresh(), expected)], end, on: connection)
        }
    }

    @Test(arguments: [
        ("0001-01-01 00:00:00+00 BC", true), ("9999-12-31 23:59:59.999999+00", true), ("20000-01-01", false),
        ("9999-12-31 23:59:59-01:00", false), ("0002-12-31 23:59:59+00 BC", false), ("infinity", false),
    ])
    func `a time is of the years that the contract has`(time: String, isTaken: Bool) async throws {
        try await withTestConnection { connection in
            let sql = "select append_event(gen_random_uuid(), 'note.taken', '{}', occurred_at => '\(time)')"
            guard !isTaken else { return try await connection.run(unsafeSQL: sql) }
            let error = await #expect(throws: PostgresError.self) { try await connection.run(unsafeSQL: sql) }
            #expect(error?.sqlState == "RC002" && error?.message.contains("occurredAt") == true)
        }
    }

    @Test func `a time is of these years in UTC`() async throws {
        try await withTestConnection { connection in
            let time = "9999-12-31T23:59:59-01:00"
            let line = #"[{"stream":"\#(StreamID.fresh())","type":"note.taken","occurredAt":"\#(time)"}]"#
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run(unsafeSQL: "select append_events('\(line)')")
            }
            #expect(error?.sqlState == "RC002")
        }
    }

    @Test func `an append repeated whole gives the first answer, in part or reordered it is refused`() async throws {
        try await withTestConnection { connection in
            let stream = StreamID.fresh()
            func lines(_ ids: [EventID], _ expected: String = "\"any\"") -> [String] {
                ids.map { line(stream, $0, expected) }
            }
            let (a, b, c, new) = (EventID.fresh(), EventID.fresh(), EventID.fresh(), EventID.fresh())
            try await expect(lines([a, b, c]), "1 2 3", on: connection)
            for expected in ["\"any\"", "\"none\"", "\"exists\"", "0", "3", "9"] {
                try await expect(lines([a, b, c], expected), "1 2 3", on: connection)
                try await expect(lines([b, c], expected), "2 3", on: connection)
                for ids in [[a, new], [new, a], [b, a], [a, c]] {
                    try await expect(lines(ids, expected), "RC001 3", on: connection)
                }
            }
            try await expect(lines([new, new]), "RC002 ", on: connection)
        }
    }

    @Test func `an append to several streams is stored or repeated with all of them`() async throws {
        try await withTestConnection { connection in
            let (one, other) = (StreamID.fresh(), StreamID.fresh())
            let (a, b, new) = (EventID.fresh(), EventID.fresh(), EventID.fresh())
            let both = [line(one, a), line(other, a), line(one, b)]
            try await expect(both, "1 1 2", on: connection)
            try await expect(both, "1 1 2", on: connection)
            try await expect([line(one, a), line(other, new)], "RC001 2", on: connection)
            try await expect([line(other, new), line(one, b)], "RC001 2", on: connection)
            try await expect([line(other, new), line(one, new, "1")], "RC001 2", on: connection)
            try await expect([line(other, new, "1"), line(one, new, "2")], "2 3", on: connection)
        }
    }

    @Test(arguments: ["expectedVersoin", "datta", "version", "position", "recordedAt", "Stream"])
    func `a field that is none of an event's is refused, and named`(field: String) async throws {
        try await withTestConnection { connection in
            let stream = StreamID.fresh()
            let good = line(stream, .fresh())
            let bad = String(line(stream, .fresh()).dropLast()) + #","\#(field)":1}"#
            let error = await #expect(throws: PostgresError.self) {
                _ = try await connection.text(unsafeSQL: "select * from append_events('[\(good),\(bad)]')")
            }
            #expect(error?.sqlState == "RC002" && error?.message.contains("event 2: \(field)") == true)
            try await expect([good], "1", on: connection)
        }
    }

    @Test func `what is appended is the same, however the session reads backslashes`() async throws {
        try await withStore { store, configuration in
            try await withConnection(configuration) { connection in
                for conforming in ["on", "off"] {
                    let stream = StreamID.fresh()
                    try await connection.run(
                        unsafeSQL: """
                            set standard_conforming_strings = \(conforming); set escape_string_warning = off;
                            select append_event('\(stream)', 'session.started', '{"userId": "\(StreamID.fresh())"}');
                            select append_events('[{"stream": "\(stream)", "type": "turn.started", "data": {"turnIndex": 1},
                                "expectedVersion": 1, "occurredAt": "2026-03-02T08:00:09.25Z"}]')
                            """
                    )
                    let events = try await store.read(stream)
                    #expect(events.map(\.type.name) == ["session.started", "turn.started"])
                    #expect(events.last.map { String(decoding: $0.data, as: UTF8.self) } == #"{"turnIndex": 1}"#)
                    #expect(events.last?.occurredAt == Timestamp("2026-03-02T08:00:09.25Z"))
                }
            }
        }
    }

    @Test(arguments: [
        "transaction_id, position) values (now(), 1, 1, 0, gen_random_uuid(), gen_random_uuid(), '', '3', 7",
        "recorded_at) values (now(), 1, 1, 0, gen_random_uuid(), gen_random_uuid(), '', now()",
    ])
    func `an appender does not say when or where an event was stored`(rest: String) async throws {
        try await withTestConnection { connection in
            try await connection.run(unsafeSQL: "set role recorder_appender")
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run(
                    unsafeSQL:
                        "insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload, \(rest))"
                )
            }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test
    func `types can be made when all ids were drawn, by SQL and by an appender, until there are as many as can be`()
        async throws
    {
        try await withStore { store, configuration in
            try await withConnection(configuration) { connection in
                // As refused appends of new types leave it.
                try await connection.run(
                    unsafeSQL: "select setval(pg_get_serial_sequence('event_types', 'id'), 32767)"
                )
                try await connection.run(unsafeSQL: "select append_event('\(StreamID.fresh())', 'probe.sql', '{}')")
                let stream = StreamID.fresh()
                let drafts = try ["probe.swift", "probe.second", "probe.sql"].map {
                    try EventDraft(id: .fresh(), type: EventType($0))
                }
                try await store.withAppender { _ = try await $0.append(Append(stream: stream, events: drafts)) }
                #expect(try await store.read(stream).map(\.type.name) == ["probe.swift", "probe.second", "probe.sql"])

                try await connection.run(
                    unsafeSQL: """
                        insert into event_types (id, name) overriding system value
                        select id, 'probe.n' || id from generate_series(1, 32767) id on conflict do nothing
                        """
                )
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.run(
                        unsafeSQL: "select append_event('\(StreamID.fresh())', 'probe.last', '{}')"
                    )
                }
                #expect(error?.sqlState == "54000")
                #expect(error?.message.contains("32,767") == true)
            }
        }
    }
}
