package import EventModel
package import Foundation

/// What the oracle expects of a file of events, in rows to be compared with the views' rows.
package struct OracleExpectation {
    /// Rows of `conversation_sessions`, by session.
    package let sessions: [String: JSONValue]
    /// Rows of `conversation_turns`, by session and turn.
    package let turns: [String: JSONValue]
    /// Rows of `conversation_costs`, by session, stage, provider and model.
    package let costs: [String: JSONValue]
    /// Rows of `latency_metrics`, by minute, stage, provider and model.
    package let latencies: [String: JSONValue]
    /// Figures over everything.
    package let totals: JSONValue

    /// Reads what `fold_events.py` prints.
    ///
    /// - Throws: `EventModelError`.
    package init(_ report: Data) throws {
        let report = try JSONValue(json: Array(report))
        sessions = Dictionary(uniqueKeysWithValues: (report["sessions"]?.members ?? []).map { ($0.name, $0.value) })
        turns = Self.keyed(report["turns"], by: ["sessionId", "turnId"])
        costs = Self.keyed(report["costs"], by: ["sessionId", "stage", "provider", "model"])
        latencies = Self.keyed(report["latency"], by: ["minute", "stage", "provider", "model"])
        totals = report["global"] ?? .null
    }

    private static func keyed(_ rows: JSONValue?, by names: [String]) -> [String: JSONValue] {
        Dictionary(
            uniqueKeysWithValues: (rows?.elements ?? []).map { row in
                (names.map { row[$0]?.string ?? "-" }.joined(separator: " "), row)
            }
        )
    }
}

extension JSONValue {
    /// The members of an object.
    package var members: [Member] { if case .object(let members) = self { members } else { [] } }
    /// The elements of an array.
    package var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
    /// Whether it is null.
    package var isNull: Bool { if case .null = self { true } else { false } }
    /// A number or a string that holds one, as text.
    package var decimal: String? { number ?? string }
}
