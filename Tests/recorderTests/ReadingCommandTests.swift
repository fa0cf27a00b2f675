import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder sessions`, `session`, `replay`, `latency`, `costs`, `audit` and `projections`, on simulated sessions.
@Suite struct ReadingCommandTests {
    /// Runs a command that must be done, and gives its lines.
    private static func lines(_ database: PostgresConfiguration, _ arguments: String...) async throws -> [JSONValue] {
        let result = try await RecorderCommand(arguments + ["--json"], databaseURL: database.url).result()
        #expect(result.status == 0, "\(result.errors)")
        return try result.json()
    }

    /// Records and projects 30 simulated sessions.
    private static func withSessions(_ body: (PostgresConfiguration) async throws -> Void) async throws {
        try await withTestDatabase { database in
            let made = try await RecorderCommand.run(
                "simulate",
                "--sessions",
                "30",
                "--seed",
                "11",
                "--start",
                "2026-03-02"
            )
            let imported = try await RecorderCommand.run("import", "-", databaseURL: database.url, input: made.output)
            #expect(imported.status == 0, "\(imported.errors)")
            let projected = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            #expect(projected.status == 0, "\(projected.errors)")
            try await body(database)
        }
    }

    @Test func `amounts and counts of any size are shown`() async throws {
        try await withTestDatabase { database in
            let turn = #""turnId":"019cad8f-ac00-7e4e-a7b6-000000000001""#
            let session = Lines.stream()
            let lines = [
                #"{"llmCost":"99999999999999.12345678","llmLatencyMs":1e20,\#(turn)}"#, #"{"llmCost":1e-9,\#(turn)}"#,
                #"{"inputTokens":9223372036854775807,"cachedInputTokens":-5,"outputTokens":1,"model":"m",\#(turn)}"#,
                #"{"inputTokens":9223372036854775807,"model":"m",\#(turn)}"#,
            ].enumerated().map { place, data in
                Lines.event(stream: place < 2 ? session : Lines.stream(), type: "turn.generated", ("data", data))
            }
            let appended = try await RecorderCommand.run(
                "append",
                databaseURL: database.url,
                input: lines.joined(separator: "\n")
            )
            #expect(appended.status == 0, "\(appended.errors)")
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            for words in [
                ["sessions"], ["session", "\(session)"], ["costs"], ["replay", "\(session)", "--speed", "0"],
                ["latency"],
            ] {
                let result = try await RecorderCommand(words, databaseURL: database.url).result()
                #expect(result.status == 0, "\(words): \(result.errors)")
                let isOfCosts = !["replay", "latency"].contains(words[0])
                #expect(result.output.contains("$99999999999999.123457") || !isOfCosts, "\(result.output)")
                #expect(result.output.contains("1e+20") || words[0] == "costs", "\(result.output)")
            }
        }
    }

    @Test func `a part of a cost is never shown as the whole`() async throws {
        try await withTestDatabase { database in
            let session = Lines.stream()
            let lines = [(1, #""llmCost":"0.5""#), (2, #""llmCost":"0.25""#), (2, #""model":"unknown""#)].map {
                turn,
                cost in
                let data = #"{"turnId":"019cad8f-ac00-7e4e-a7b6-00000000000\#(turn)",\#(cost)}"#
                return Lines.event(stream: session, type: "turn.generated", ("data", data))
            }
            let appended = try await RecorderCommand.run(
                "append",
                databaseURL: database.url,
                input: lines.joined(separator: "\n")
            )
            #expect(appended.status == 0, "\(appended.errors)")
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            for words in [["session", "\(session)"], ["replay", "\(session)", "--until", "3"]] {
                let shown = try await RecorderCommand(words, databaseURL: database.url).result()
                #expect(shown.output.contains("$0.75, without 1 call of unknown cost"), "\(shown.output)")
                // Only replay knows which turn it is of.
                let isReplay = words[0] == "replay"
                #expect(
                    shown.output.contains("$0.25+") == isReplay && !shown.output.contains("$0.5+"),
                    "\(shown.output)"
                )
                #expect(shown.lines.last == "costs of turns are without 1 call of unknown cost" || isReplay)
            }
            let turns = try await Self.lines(database, "replay", "\(session)", "--until", "3").first?["turns"]
            guard case .array(let turns) = turns else {
                Issue.record("there are no turns")
                return
            }
            #expect(turns.map { $0["uncostedCalls"]?.integer } == [0, 1])
            let frames = try await Self.lines(database, "replay", "\(session)", "--speed", "0")
            #expect(frames.map { $0["uncostedCallsSoFar"]?.integer } == [0, 0, 1])
        }
    }

    @Test(arguments: [("10:30", " after 30:00.000"), ("09:00", "")])
    func `how long a session lasted is told unless it began again`(end: String, duration: String) async throws {
        try await withTestDatabase { database in
            let session = Lines.stream()
            let lines = [("started", "08:00"), ("ended", end), ("started", "10:00")].map { what, time in
                Lines.event(stream: session, type: "session.\(what)", ("occurredAt", #""2026-03-02T\#(time):00Z""#))
            }
            let input = lines.joined(separator: "\n")
            let appended = try await RecorderCommand.run("append", databaseURL: database.url, input: input)
            #expect(appended.status == 0, "\(appended.errors)")
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            let shown = try await RecorderCommand.run("session", "\(session)", databaseURL: database.url)
            #expect(
                shown.lines.contains("ended         2026-03-02T\(end):00.000000Z\(duration)"),
                "\(shown.output) \(shown.errors)"
            )
        }
    }

    @Test(arguments: [
        ["sessions", "--state", "sleeping"], ["costs", "--stage", "ear"], ["replay", "x", "--speed", "1e-300"],
    ])
    func `what there cannot be is refused`(words: [String]) async throws {
        #expect(try await RecorderCommand(words, databaseURL: "").result().status == 2)
    }

    @Test func `filters choose sessions, and pages join without a gap`() async throws {
        try await Self.withSessions { database in
            let all = try await Self.lines(database, "sessions", "--limit", "0")
            #expect(all.count == 30)
            let starts = all.compactMap { $0["startedAt"]?.string }
            #expect(starts == starts.sorted(by: >))
            let withErrors = try await Self.lines(database, "sessions", "--has-errors")
            #expect(withErrors == all.filter { ($0["errorCount"]?.integer ?? 0) > 0 })
            let without = try await Self.lines(database, "sessions", "--no-has-errors")
            #expect(withErrors.count + without.count == 30)
            let user = try #require(all[3]["userId"]?.string)
            #expect(
                try await Self.lines(database, "sessions", "--user", user)
                    == all.filter { $0["userId"]?.string == user }
            )
            let provider = try #require(all[0]["ttsProvider"]?.string)
            #expect(
                try await Self.lines(database, "sessions", "--provider", provider).count
                    == all.count { session in
                        ["asrProvider", "llmProvider", "ttsProvider"].contains { session[$0]?.string == provider }
                    }
            )
            let middle = try #require(all[10]["startedAt"]?.string)
            #expect(try await Self.lines(database, "sessions", "--from", middle) == Array(all[...10]))
            #expect(try await Self.lines(database, "sessions", "--until", middle) == Array(all[11...]))
            #expect(try await Self.lines(database, "sessions", "--limit", "7") == Array(all[..<7]))
            let costs = all.compactMap { $0["totalCost"]?.string }.compactMap(Double.init)
            let dear = try await Self.lines(database, "sessions", "--min-cost", "0.03")
            #expect(dear.count == costs.count { $0 >= 0.03 })
        }
    }

    @Test func `a replayed session ends as its read model`() async throws {
        try await Self.withSessions { database in
            for session in try await Self.lines(database, "sessions", "--limit", "8") {
                let id = try #require(session["id"]?.string)
                let model = try #require(try await Self.lines(database, "session", id).first)
                let replayed = try #require(try await Self.lines(database, "replay", id, "--until", "100000").first)
                for field in [
                    "version", "state", "userId", "startedAt", "endedAt", "errorCount", "anomalies", "uncostedCalls",
                ] { #expect(replayed[field] == model[field], "\(field)") }
                #expect(Self.amount(replayed["totalCost"]) == Self.amount(model["totalCost"]))
                guard case .array(let turns) = model["turns"], case .array(let again) = replayed["turns"] else {
                    Issue.record("there are no turns")
                    return
                }
                #expect(turns.count == again.count)
                for turn in turns {
                    let other = try #require(again.first { $0["turnId"] == turn["turnId"] })
                    for field in ["turnIndex", "status", "userTranscript", "llmResponse", "spokenText", "errorType"] {
                        #expect(other[field] == turn[field], "\(field)")
                    }
                    #expect(Self.amount(other["cost"]) == Self.amount(turn["totalCost"]))
                    #expect(other["latencyMs"] == turn["latencyMs"])
                }
            }
        }
    }

    @Test func `replay gives every frame, and the state at a version and at a time`() async throws {
        try await Self.withSessions { database in
            let session = try #require(try await Self.lines(database, "sessions", "--limit", "1").first)
            let id = try #require(session["id"]?.string)
            let frames = try await Self.lines(database, "replay", id, "--speed", "0")
            #expect(frames.count == session["version"]?.integer)
            for index in [0, frames.count / 2, frames.count - 1] {
                let frame = frames[index]
                let at = try #require(frame["at"]?.string)
                let byVersion = try #require(
                    try await Self.lines(database, "replay", id, "--until", "\(index + 1)").first
                )
                #expect(byVersion["state"] == frame["state"])
                #expect(byVersion["totalCost"] == frame["costSoFar"])
                let byTime = try #require(try await Self.lines(database, "replay", id, "--until", at).first)
                #expect((byTime["version"]?.integer ?? 0) >= index + 1)
            }
            let before = try await Self.lines(database, "replay", id, "--until", "0")
            #expect(before.first?["state"]?.string == "idle")
            #expect(before.first?["version"]?.integer == 0)
        }
    }

    @Test func `latencies, costs and audit have the shapes that are documented`() async throws {
        try await Self.withSessions { database in
            let latency = try await Self.lines(database, "latency", "--percentiles", "50,99.9")
            #expect(latency.count == 6)
            #expect(
                latency.allSatisfy { ($0["count"]?.integer ?? 0) > 0 && $0["p50Ms"] != nil && $0["p99.9Ms"] != nil }
            )
            let series = try await Self.lines(database, "latency", "--stage", "llm", "--series", "1m")
            let llm = latency.first { $0["stage"]?.string == "llm" }
            #expect(series.reduce(0) { $0 + ($1["count"]?.integer ?? 0) } == llm?["count"]?.integer)
            let byDay = try await Self.lines(database, "costs", "--by", "day")
            let total = try await Self.lines(database, "costs", "--by", "stage")
            #expect(
                byDay.reduce(0) { $0 + ($1["calls"]?.integer ?? 0) }
                    == total.reduce(0) { $0 + ($1["calls"]?.integer ?? 0) }
            )
            let audit = try await Self.lines(database, "audit", "--action", "session.*", "--limit", "0")
            #expect(audit.count == 60)
            #expect(audit.allSatisfy { $0["hash"]?.string?.count == 64 })
            let last = try await Self.lines(database, "audit", "--action", "session.*", "--backwards", "--limit", "3")
            #expect(last == audit.suffix(3).reversed())
            let verified = try await RecorderCommand.run("audit", "verify", databaseURL: database.url)
            #expect(verified.status == 0, "\(verified.errors)")
        }
    }

    @Test func `the status shows every shard, and fails while nobody works on them`() async throws {
        try await Self.withSessions { database in
            let result = try await RecorderCommand.run("projections", "status", "--json", databaseURL: database.url)
            #expect(result.status == 1)
            let shards = try result.json()
            #expect(shards.count == 5 * 16 + 1, "of audit_logs there is one")
            #expect(shards.allSatisfy { $0["eventsBehind"]?.integer == 0 })
            let table = try await RecorderCommand.run("projections", "status", databaseURL: database.url)
            #expect(table.output.contains("nobody works on shards 0, 1, 2"))
        }
    }

    @Test func `a changed audit row shows`() async throws {
        try await Self.withSessions { database in
            let connection = try await PostgresConnection.connect(database)
            try await connection.run(
                unsafeSQL: """
                    update audit_logs_v1 set result = 'failure'
                    where position = (select max(position) from audit_logs_v1)
                    """
            )
            await connection.close()
            let verified = try await RecorderCommand.run("audit", "verify", "--json", databaseURL: database.url)
            #expect(verified.status == 1)
            #expect(try verified.json().count == 1)
        }
    }

    @Test func `a session that is not there is an error`() async throws {
        try await withTestDatabase { database in
            for command in ["session", "replay"] {
                let result = try await RecorderCommand.run(command, "\(Lines.stream())", databaseURL: database.url)
                #expect(result.status == 1)
                #expect(result.errors.contains("check its id"), "\(result.errors)")
            }
        }
    }

    /// An amount of money without the zeros at its end.
    private static func amount(_ value: JSONValue?) -> String? {
        guard let text = value?.string, text.contains(".") else { return value?.string }
        let digits = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
        return String(digits.reversed())
    }
}
