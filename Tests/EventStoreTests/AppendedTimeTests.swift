import EventModel
import Postgres
import RecorderTesting
import Testing

/// SQL reads the times of events as the program reads them.
@Suite struct AppendedTimeTests {
    /// What `append_events` stores of a time, or the SQLSTATE.
    private func stored(_ time: String, on connection: PostgresConnection) async throws -> String? {
        let stream = StreamID.generate(at: .now())
        let line = #"{"stream":"\#(stream)","type":"turn.started","occurredAt":"\#(time)"}"#
        do {
            try await connection.run(unsafeSQL: "select append_events('[\(line)]')")
            let rows = try await connection.text(
                unsafeSQL: """
                    select case when occurred_at < '0001-01-01 00:00:00+00' then '0000'
                               else to_char(occurred_at at time zone 'UTC', 'YYYY') end
                           || to_char(occurred_at at time zone 'UTC', '-MM-DD"T"HH24:MI:SS.US"Z"')
                    from events where stream_id = '\(stream)'
                    """
            )
            return rows.first?[0]
        } catch let error as PostgresError {
            return error.sqlState
        }
    }

    @Test(arguments: [
        "2026-03-02T24:00:00Z", "2026-03-02T08:00:00.0123456789Z", "2026-03-31T23:59:59.9999995Z",
        "2026-03-31T23:59:59.999999999+00:00", "1969-12-31T23:59:59.9999999Z", "2026-03-02T08:00:60Z",
        "2026-03-31T23:59:60Z", "2026-06-30T22:59:60Z", "2026-06-30T23:59:60Z", "2016-12-31T15:59:60.5-08:00",
        "2017-01-01T01:59:60.123456789+02:00", "2026-06-30T23:59:61Z", "9999-12-31T23:59:60Z",
        "9999-12-31T23:59:59.9999999Z", "2026-03-02 08:00:09.1z",
        "2026-01-01T00:00:00+16:00", "2026-01-01T00:00:00-23:59", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+10:60", "0000-06-01T00:00:00Z", "0000-02-29T12:00:00.5Z", "0001-02-29T00:00:00Z",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    ])
    func `a time is read as the program reads it`(time: String) async throws {
        try await withTestConnection { connection in
            let found = try await stored(time, on: connection)
            #expect(found == Timestamp(time)?.description ?? "RC002")
        }
    }
}
