import EventModel
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// The sixth projection against a fold of its own, which shares nothing with its SQL.
@Suite struct InterruptionsTests {
    /// What the view's rows are compared by.
    struct Row: Hashable {
        let hour: Int64
        let interrupter: String?
        let llmProvider: String?
        let ttsProvider: String?
    }

    /// Sums of one row, in tenths of a millisecond.
    struct Sums: Equatable {
        var count = 0
        var falseOnes = 0
        var tenths: [Int] = []
    }

    /// Folds events one by one, in the order given.
    static func fold(_ events: [Append]) throws -> [Row: Sums] {
        var providers: [StreamID: (llm: String?, tts: String?)] = [:]
        var rows: [Row: Sums] = [:]
        for append in events {
            for event in append.events {
                let data = try JSONValue(json: event.data)
                if event.type == .sessionStarted {
                    providers[append.stream] = (data["llmProvider"]?.string, data["ttsProvider"]?.string)
                }
                guard event.type.name == "turn.interrupted" else { continue }
                let microseconds = try #require(event.occurredAt).microseconds
                let row = Row(
                    hour: microseconds - microseconds % 3_600_000_000,
                    interrupter: data["by"]?.string,
                    llmProvider: providers[append.stream]?.llm,
                    ttsProvider: providers[append.stream]?.tts
                )
                rows[row, default: Sums()].count += 1
                if data["falseInterruption"]?.bool == true { rows[row, default: Sums()].falseOnes += 1 }
                if let yield = data["yieldLatencyMs"]?.double {
                    rows[row, default: Sums()].tenths.append(Int((yield * 10).rounded()))
                }
            }
        }
        return rows
    }

    @Test func `interruptions are what a fold of the events says`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 60, seed: 21)
            try await models.append(events)
            try await models.project(batchSize: 97)
            let expected = try Self.fold(events)
            #expect(expected.count > 5)
            #expect(expected.values.contains { $0.falseOnes > 0 } && expected.values.contains { $0.tenths.count > 1 })
            let connection = try await PostgresConnection.connect(database)
            let found = try await connection.text(
                unsafeSQL: """
                    select (extract(epoch from bucket_start) * 1000000)::bigint, interrupter, llm_provider, tts_provider,
                        count, false_interruptions, measured, round(sum_yield_ms::numeric * 10)::bigint,
                        round(min_yield_ms::numeric * 10)::int, round(max_yield_ms::numeric * 10)::int, interrupted,
                        abs(average_yield_ms * measured - sum_yield_ms) < 0.001
                    from interruptions
                    """
            )
            await connection.close()
            #expect(found.count == expected.count)
            for row in found {
                let key = Row(
                    hour: try #require(row[0].flatMap { Int64($0) }),
                    interrupter: row[1],
                    llmProvider: row[2],
                    ttsProvider: row[3]
                )
                let sums = try #require(expected[key], "\(key) was not expected")
                #expect(row[4] == "\(sums.count)" && row[5] == "\(sums.falseOnes)" && row[6] == "\(sums.tenths.count)")
                if let least = sums.tenths.min(), let most = sums.tenths.max() {
                    #expect(row[7] == "\(sums.tenths.reduce(0, +))")
                    #expect(row[8] == "\(least)" && row[9] == "\(most)" && row[11] == "t")
                } else {
                    #expect(row[7] == nil && row[8] == nil && row[9] == nil && row[11] == nil)
                }
                #expect(row[10] == (row[1] == "user" ? "agent" : row[1] == "agent" ? "user" : nil))
            }
        }
    }

    @Test func `an interruption belongs to the last start before it, wherever the batch was cut`() async throws {
        let session = StreamID.generate(at: .now())
        func event(_ type: String, _ data: String) throws -> Append {
            let draft = try EventDraft(
                id: .generate(at: .now()),
                type: EventType(type),
                occurredAt: Timestamp("2026-03-02T08:10:00Z"),
                data: Array(data.utf8)
            )
            return Append(stream: session, events: [draft])
        }
        let events = try [
            event("turn.interrupted", #"{"by":"agent","yieldLatencyMs":1.5}"#),
            event("session.started", #"{"llmProvider":"first","ttsProvider":"voice"}"#),
            event("turn.interrupted", #"{"by":"user","yieldLatencyMs":2.25,"falseInterruption":false}"#),
            event("session.started", #"{"llmProvider":"second"}"#),
            event("turn.interrupted", #"{"by":"user"}"#),
        ]
        for batchSize in 1...5 {
            try await withTestDatabase { database in
                let models = ReadModels(database: database)
                try await models.append(events)
                try await models.project(batchSize: batchSize)
                let connection = try await PostgresConnection.connect(database)
                let rows = try await connection.text(
                    unsafeSQL: """
                        select interrupter, llm_provider, tts_provider, count, measured, average_yield_ms
                        from interruptions order by 2
                        """
                )
                await connection.close()
                #expect(
                    rows == [
                        ["user", "first", "voice", "1", "1", "2.25"], ["user", "second", nil, "1", "0", nil],
                        ["agent", nil, nil, "1", "1", "1.5"],
                    ],
                    "in batches of \(batchSize)"
                )
            }
        }
    }
}
