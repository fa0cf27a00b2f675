import EventModel
import Postgres
import RecorderTesting
import Testing

/// What commands say where an event has stopped its stream.
@Suite struct StoppedStreamTests {
    private static let personal = "not-a-number"

    /// Projects two streams, one of which has an event that some projections cannot apply.
    private static func withStoppedStream(
        _ body: (_ ill: StreamID, _ projected: RecorderCommand.Result, _ database: PostgresConfiguration) async throws
            -> Void
    ) async throws {
        try await withTestDatabase { database in
            let (ill, well) = (Lines.stream(), Lines.stream())
            let turn = #""turnId":"019cad8f-ac00-7e4e-a7b6-000000000001""#
            let lines = [
                Lines.event(stream: ill, type: "session.started"), Lines.event(stream: well, type: "session.started"),
                Lines.event(
                    stream: ill,
                    type: "turn.generated",
                    ("data", #"{\#(turn),"llmLatencyMs":"\#(personal)"}"#)
                ),
                Lines.event(stream: well, type: "turn.generated", ("data", #"{\#(turn),"llmLatencyMs":5}"#)),
            ]
            let appended = try await RecorderCommand.run(
                "append",
                databaseURL: database.url,
                input: lines.joined(separator: "\n")
            )
            #expect(appended.status == 0, "\(appended.errors)")
            let projected = try await RecorderCommand.run(
                "project",
                "--until-caught-up",
                "--json",
                databaseURL: database.url
            )
            try await body(ill, projected, database)
        }
    }

    @Test func `catching up names the streams that are stopped, and ends with status 1`() async throws {
        try await Self.withStoppedStream { ill, projected, database in
            #expect(projected.status == 1)
            #expect(try projected.json().last?["stoppedStreams"]?.integer == 3)
            #expect(projected.errors.contains("3 streams stopped"), "\(projected.errors)")
            #expect(projected.errors.contains("projections status") && projected.errors.contains("projections retry"))
            // The log names the projection, the stream and the event, and nothing of the payload.
            let warnings = projected.errors.split(separator: "\n").filter { $0.contains("stops a stream") }
            #expect(warnings.count == 3, "\(projected.errors)")
            #expect(warnings.allSatisfy { $0.contains(ill.description) && $0.contains("eventVersion=2") })
            #expect(warnings.contains { $0.contains("projection=conversation_turns v1") })
            #expect(!projected.errors.contains(Self.personal))
            let again = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            #expect(again.status == 1 && again.errors.contains("3 streams stopped"), "\(again.errors)")
            #expect(!again.errors.contains("stops a stream"))
        }
    }

    @Test func `verify and rebuild say that streams are stopped`() async throws {
        try await Self.withStoppedStream { _, _, database in
            for words in [["verify", "conversation_turns"], ["rebuild", "conversation_turns"]] {
                let result = try await RecorderCommand(["projections"] + words, databaseURL: database.url).result()
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.errors.contains("1 stream stopped"), "\(result.errors)")
                #expect(result.errors.contains("conversation_turns v1: 1"), "\(result.errors)")
            }
            let other = try await RecorderCommand.run("projections", "verify", "audit_logs", databaseURL: database.url)
            #expect(other.status == 0 && !other.errors.contains("stopped"), "\(other.errors)")
        }
    }

    @Test func `whoever reads a read model is told of what it lacks`() async throws {
        try await Self.withStoppedStream { ill, _, database in
            for (words, projections) in [
                (["sessions"], ["conversation_sessions"]), (["latency"], ["latency_metrics"]),
                (["latency", "--stage", "llm", "--series", "1h"], ["latency_metrics"]), (["costs"], []),
                (["audit"], []),
                (["session", "\(ill)"], ["conversation_sessions", "conversation_turns"]),
            ] {
                let result = try await RecorderCommand(words, databaseURL: database.url).result()
                let lines = result.errors.split(separator: "\n").filter { $0.contains(" lacks what ") }
                #expect(result.status == 0 && lines.count == projections.count, "\(words): \(result.errors)")
                for name in projections {
                    #expect(lines.contains { $0.contains(": \(name) lacks") && $0.contains("projections status") })
                }
            }
            let sessions = try await RecorderCommand.run("sessions", "--json", databaseURL: database.url)
            #expect(sessions.errors.contains("what 1 stream recorded"), "\(sessions.errors)")
            let well = try sessions.json().compactMap { $0["id"]?.string }.first { $0 != ill.description }
            let session = try await RecorderCommand.run("session", try #require(well), databaseURL: database.url)
            #expect(session.status == 0 && session.errors == "", "\(session.errors)")
        }
    }

    @Test(arguments: [("recorder_analyst", true), ("recorder_service", false)])
    func `a role that may not see it is told nothing, and reads on`(role: String, isTold: Bool) async throws {
        try await Self.withStoppedStream { _, _, database in
            let url = "\(database.url) options='-c role=\(role)'"
            let result = try await RecorderCommand.run("sessions", databaseURL: url)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("lacks what 1 stream recorded") == isTold, "\(result.errors)")
        }
    }
}
