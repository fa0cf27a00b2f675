internal import EventModel
package import Postgres

/// Compares the read models' rows with what the oracle expects, field by field.
package struct OracleComparison {
    /// How a field compares.
    private enum Kind {
        case text, integer, boolean, money, milliseconds, moment
    }

    private typealias Field = (expected: String, column: String, kind: Kind)

    /// The differences, one line each.
    package private(set) var differences: [String] = []
    /// How many rows were compared.
    package private(set) var rows = 0
    /// Sessions whose rows may or may not be there.
    private let ignored: Set<String>

    private static let sessionFields: [Field] = [
        ("userId", "user_id", .text), ("state", "state", .text), ("startedAt", "started_at", .moment),
        ("endedAt", "ended_at", .moment), ("totalTurns", "total_turns", .integer),
        ("interruptedTurns", "interrupted_turns", .integer), ("errorCount", "error_count", .integer),
        ("version", "version", .integer), ("asrProvider", "asr_provider", .text),
        ("llmProvider", "llm_provider", .text),
        ("ttsProvider", "tts_provider", .text), ("measuredTurns", "measured_turns", .integer),
        ("averageLatencyMs", "average_latency_ms", .milliseconds), ("totalCost", "total_cost", .money),
        ("uncostedCalls", "uncosted_calls", .integer),
    ]
    private static let turnFields: [Field] = [
        ("turnIndex", "turn_index", .integer), ("status", "status", .text),
        ("userTranscript", "user_transcript", .text),
        ("llmResponse", "llm_response", .text), ("spokenText", "spoken_text", .text),
        ("interrupted", "interrupted", .boolean), ("endToEndLatencyMs", "end_to_end_latency_ms", .milliseconds),
        ("firstTokenMs", "first_token_ms", .milliseconds), ("asrLatencyMs", "asr_latency_ms", .milliseconds),
        ("ragLatencyMs", "rag_latency_ms", .milliseconds), ("llmLatencyMs", "llm_latency_ms", .milliseconds),
        ("ttsLatencyMs", "tts_latency_ms", .milliseconds), ("asrCost", "asr_cost", .money),
        ("ragCost", "rag_cost", .money), ("llmCost", "llm_cost", .money), ("ttsCost", "tts_cost", .money),
        ("latencyMs", "latency_ms", .milliseconds),
    ]
    private static let costFields: [Field] = [
        ("calls", "calls", .integer), ("inputTokens", "input_tokens", .integer),
        ("cachedInputTokens", "cached_input_tokens", .integer), ("outputTokens", "output_tokens", .integer),
        ("audioSeconds", "audio_seconds", .money), ("characters", "characters", .integer),
        ("providedCost", "provided_cost", .money), ("computedCost", "computed_cost", .money),
        ("uncostedCalls", "uncosted_calls", .integer),
    ]
    private static let latencyFields: [Field] = [
        ("count", "count", .integer), ("sumMs", "sum_ms", .milliseconds), ("minMs", "min_ms", .milliseconds),
        ("maxMs", "max_ms", .milliseconds),
    ]

    /// - Parameter sessions: Sessions that are left out, such as those in quarantine.
    package init(ignoring sessions: Set<String> = []) { ignored = sessions }

    /// Compares all rows of all views.
    ///
    /// - Throws: `PostgresError`.
    package mutating func compare(_ expectation: OracleExpectation, on connection: PostgresConnection) async throws {
        let sessions = try await rows(
            of: "select id::text, to_jsonb(s) from conversation_sessions s",
            on: connection
        )
        compare("session", expectation.sessions, sessions, Self.sessionFields)
        for (id, expected) in expectation.sessions {
            compareTimes(id, expected["timeInState"], sessions[id]?["time_in_state"])
        }
        let turns = try await rows(
            of: "select session_id || ' ' || turn_id, to_jsonb(t) from conversation_turns t",
            on: connection
        )
        compare("turn", expectation.turns, turns, Self.turnFields)
        let costs = try await rows(
            of: """
                select concat_ws(' ', session_id, stage, coalesce(provider, '-'), coalesce(model, '-')), to_jsonb(c)
                from conversation_costs c
                """,
            on: connection
        )
        compare("cost", expectation.costs, costs, Self.costFields)
        let latencies = try await rows(
            of: """
                select to_char(bucket_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI')
                    || ' ' || concat_ws(' ', stage, coalesce(provider, '-'), coalesce(model, '-')),
                    jsonb_build_object('count', sum(count), 'sum_ms', sum(sum_ms), 'min_ms', min(min_ms),
                        'max_ms', max(max_ms))
                from latency_metrics group by bucket_start, stage, provider, model
                """,
            on: connection
        )
        compare("latency", expectation.latencies, latencies, Self.latencyFields)
    }

    /// Compares percentiles from the histograms with exact ones: over all time for each stage, and of single rows.
    ///
    /// - Throws: `PostgresError`.
    package mutating func comparePercentiles(_ expectation: OracleExpectation, on connection: PostgresConnection)
        async throws
    {
        for stage in ["asr", "rag", "llm", "tts", "turn"] {
            for percent in ["50", "95", "99"] {
                let exact = expectation.totals["\(stage)P\(percent)Ms"]?.double
                let estimate = try await connection.text(
                    unsafeSQL: "select latency_percentile('\(stage)', 0.\(percent), '-infinity', 'infinity')"
                )
                compareEstimate("\(stage) p\(percent)", exact: exact, estimate.first?.first.flatMap { $0 })
            }
        }
        for (key, expected) in expectation.latencies.sorted(by: { $0.key < $1.key }).prefix(500) {
            let parts = key.split(separator: " ").map { $0 == "-" ? "null" : "'\($0)'" }
            let from = "\(key.prefix(16)):00Z"
            for percent in ["50", "95", "99"] {
                let estimate = try await connection.text(
                    unsafeSQL: """
                        select latency_percentile(\(parts[1]), 0.\(percent), '\(from)',
                            '\(from)'::timestamptz + interval '1 minute', \(parts[2]), \(parts[3]))
                        """
                )
                // Without a provider the function sums over all of them: then there is no single row to compare with.
                guard !parts.contains("null") else { continue }
                compareEstimate(
                    "\(key) p\(percent)",
                    exact: expected["p\(percent)Ms"]?.double,
                    estimate.first?.first.flatMap { $0 }
                )
            }
        }
    }

    private mutating func compareEstimate(_ name: String, exact: Double?, _ estimate: String?) {
        rows += 1
        switch (exact, estimate.flatMap { Double($0) }) {
        case (nil, nil): return
        case (let exact?, let estimate?) where abs(estimate - exact) <= abs(exact) * 0.01 + 1e-9: return
        default: differences.append("\(name): \(String(describing: exact)) expected, \(estimate ?? "NULL") found")
        }
    }

    private func rows(of sql: String, on connection: PostgresConnection) async throws -> [String: JSONValue] {
        var rows: [String: JSONValue] = [:]
        for row in try await connection.text(unsafeSQL: sql) {
            guard let key = row[0], let json = row[1] else { continue }
            rows[key] = try JSONValue(json: Array(json.utf8))
        }
        return rows
    }

    private mutating func compare(
        _ what: String,
        _ expected: [String: JSONValue],
        _ found: [String: JSONValue],
        _ fields: [Field]
    ) {
        rows += expected.count
        for key in found.keys where expected[key] == nil && !ignored.contains(String(key.prefix(36))) {
            differences.append("\(what) \(key) is not expected")
        }
        for (key, row) in expected {
            guard let other = found[key] else {
                differences.append("\(what) \(key) is missing")
                continue
            }
            for field in fields where !Self.isSame(row[field.expected], other[field.column], field.kind) {
                let values = [row[field.expected], other[field.column]].map { $0?.json ?? "nothing" }
                differences.append("\(what) \(key).\(field.column): \(values[0]) expected, \(values[1]) found")
            }
        }
    }

    private mutating func compareTimes(_ session: String, _ expected: JSONValue?, _ found: JSONValue?) {
        let states = Set((expected?.members ?? []).map(\.name) + (found?.members ?? []).map(\.name))
        for state in states where !Self.isSame(expected?[state], found?[state], .milliseconds) {
            differences.append("session \(session).time_in_state.\(state)")
        }
    }

    private static func isSame(_ expected: JSONValue?, _ found: JSONValue?, _ kind: Kind) -> Bool {
        let (expected, found) = (expected ?? .null, found ?? .null)
        if expected.isNull || found.isNull { return expected.isNull && found.isNull }
        switch kind {
        case .text: return expected.string == found.string
        case .integer: return expected.integer == found.integer && found.integer != nil
        case .boolean: return expected.bool == found.bool && found.bool != nil
        case .money:
            return canonical(expected.decimal) == canonical(found.decimal) && canonical(found.decimal) != nil
        case .moment:
            guard let left = expected.string.flatMap({ Timestamp($0) }),
                let right = found.string.flatMap({ Timestamp($0) })
            else { return false }
            return left == right
        case .milliseconds:
            guard let left = expected.double, let right = found.double else { return false }
            return abs(left - right) <= max(1e-6, abs(left) * 1e-12)
        }
    }

    /// A number without trailing zeros, so that 0.50 is 0.5.
    private static func canonical(_ text: String?) -> String? {
        guard var digits = text.flatMap({ PostgresDecimal($0) })?.description else { return nil }
        guard digits.contains(".") else { return digits }
        while digits.last == "0" { digits.removeLast() }
        if digits.last == "." { digits.removeLast() }
        return digits
    }
}
