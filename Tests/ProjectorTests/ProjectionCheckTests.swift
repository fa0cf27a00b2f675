import EventModel
import Foundation
import Postgres
import RecorderTesting
import Schema
import Simulator
import Testing

@testable import Projector

@Suite struct ProjectionCheckTests {
    private static let sample: [EventLine] = {
        var simulator = ConversationSimulator(seed: 5, startingAt: Timestamp(microseconds: 1_772_438_400_000_000))
        return (0..<4).flatMap { _ in simulator.nextSession().events }
    }()

    /// Checks a projection on a database that has the recorder's schema.
    private func check(_ files: ProjectionFiles) async throws -> ProjectionCheckReport {
        try await withTestDatabase { database in
            let report = try await ProjectionCheck(files).run(sample: Self.sample, on: database)
            let connection = try await PostgresConnection.connect(database)
            let left = try await connection.text(
                unsafeSQL: "select nspname from pg_namespace where nspname like 'recorder\\_check%'"
            )
            await connection.close()
            #expect(left.isEmpty, "a check leaves the database as it was")
            return report
        }
    }

    /// A projection of completed turns by session, with some of its files in other words.
    private func files(
        table: (String) -> String = { $0 },
        apply: (String) -> String = { $0 },
        view: (String) -> String = { $0 }
    ) throws -> ProjectionFiles {
        let texts = try ProjectionTemplate(name: "tried").files
        return try ProjectionFiles(
            name: "tried",
            version: 1,
            tableSQL: table(texts[0].text),
            applySQL: apply(texts[1].text),
            viewSQL: view(texts[2].text)
        )
    }

    private func errors(_ report: ProjectionCheckReport) -> [String] {
        report.findings.filter { $0.severity == .error }.map(\.message)
    }

    private func warnings(_ report: ProjectionCheckReport) -> [String] {
        report.findings.filter { $0.severity == .warning }.map(\.message)
    }

    @Test(arguments: try ProjectionFiles.newest(in: .embedded).map(\.name))
    func `every shipped projection passes`(name: String) async throws {
        let files = try #require(try ProjectionFiles.newest(in: .embedded).first { $0.name == name })
        let report = try await check(files)
        #expect(report.passes, "\(report.findings)")
        #expect(report.events > 0 && report.rows > 0 && report.cuts > 14, "\(report)")
        #expect(!report.findings.contains { $0.message.contains("never used") }, "\(report.findings)")
    }

    @Test func `the template passes as it is`() async throws {
        let report = try await check(files())
        #expect(report.passes && report.findings.isEmpty, "\(report.findings)")
        #expect(report.rows > 0)
    }

    @Test func `a template is written once, and read back by its folder`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "projections-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let template = try ProjectionTemplate(name: "turn_counts")
        #expect(try template.write(into: folder).count == 3)
        for path in ["turn_counts", "turn_counts/v1"] {
            let read = try ProjectionFiles.all(inDirectory: folder.appending(path: path).path(percentEncoded: false))
            #expect(read.map(\.title) == ["turn_counts v1"])
        }
        #expect(throws: ProjectorError.self) { try template.write(into: folder) }
        for name in ["", "Turns", "1st", "a-b", "../x", String(repeating: "a", count: 51)] {
            #expect(throws: ProjectorError.self) { try ProjectionTemplate(name: name) }
        }
    }

    @Test func `a fold that forgets what a batch before held is found, with the cut`() async throws {
        let forgetful = try files(apply: {
            $0.replacing("completed_turns = total.completed_turns + excluded", with: "completed_turns = excluded")
        })
        let found = errors(try await check(forgetful))
        #expect(found.first?.contains("cut between its events 1 and 2") == true, "\(found)")
        #expect(found.first?.contains("completed_turns is ") == true, "\(found)")
    }

    @Test func `a fold that trusts the order of the batch's rows is found`() async throws {
        let trusting = try files(apply: {
            $0.replacing("max(occurred_at)\nfrom", with: "(array_agg(occurred_at))[count(*)]\nfrom")
                .replacing(
                    "greatest(total.last_completed_at, excluded.last_completed_at)",
                    with: "excluded.last_completed_at"
                )
        })
        let found = errors(try await check(trusting))
        #expect(found.contains { $0.contains("shuffled") && $0.contains("last_completed_at") }, "\(found)")
    }

    @Test func `a sum of floating point numbers is found`() async throws {
        let inexact = try files(
            table: { $0.replacing("latency_ms        numeric", with: "latency_ms        double precision") },
            apply: { $0.replacing("sum(latency_ms)", with: "sum(latency_ms / 3.0::double precision)") },
            view: { $0.replacing("::double precision", with: "") }
        )
        let found = errors(try await check(inexact))
        #expect(found.contains { $0.contains("average_latency_ms") }, "\(found)")
    }

    @Test func `a number that a rolled back delivery used up is found`() async throws {
        let counting = try files(
            table: {
                $0.replacing("primary key (session_id)", with: "serial_number bigserial,\n    primary key (session_id)")
            },
            view: { $0.replacing("    last_completed_at\n", with: "    last_completed_at,\n    serial_number\n") }
        )
        #expect(errors(try await check(counting)).contains { $0.contains("serial_number") })
    }

    @Test func `rows of one shard that another's worker overwrites are found`() async throws {
        let shared = try files(
            table: {
                $0.replacing("primary key (session_id)", with: "shard text not null,\n    primary key (shard)")
            },
            apply: {
                $0.replacing("last_completed_at)\nselect", with: "last_completed_at, shard)\nselect")
                    .replacing("    stream_id,\n", with: "    (array_agg(stream_id))[1],\n")
                    .replacing("max(occurred_at)\n", with: "max(occurred_at), 'all'\n")
                    .replacing("group by stream_id\norder by stream_id", with: "order by 1")
                    .replacing("conflict (session_id)", with: "conflict (shard)")
            }
        )
        // One row whose session is that of whichever event came first.
        #expect(errors(try await check(shared)).contains { $0.contains("session_id is") })
    }

    @Test func `a view that shows shards is for another to sum`() async throws {
        let parts = try files(view: {
            $0.replacing("    last_completed_at\n", with: "    last_completed_at,\n    0 as shard\n")
        })
        #expect(errors(try await check(parts)).contains { $0.hasPrefix("every view names the shard") })
    }

    @Test func `tables of another projection are refused`() async throws {
        let reading = try files(apply: {
            $0.replacing(
                "from batch\n",
                with: "from batch\njoin conversation_costs cost on cost.session_id = stream_id\n"
            )
        })
        let found = errors(try await check(reading))
        #expect(found.contains { $0.contains("recorder.conversation_costs is not made by table.sql") }, "\(found)")
        #expect(found.contains { $0.hasPrefix("apply.sql:21: ") }, "\(found)")

        let log = try files(apply: {
            $0.replacing("count(*),", with: "(select count(*) from events where events.stream_id = batch.stream_id),")
        })
        #expect(errors(try await check(log)).contains { $0.contains("recorder.events is not made") })

        let viewing = try files(view: {
            $0.replacing("from tried_v1", with: "from tried_v1 join conversation_costs using (session_id)")
        })
        #expect(
            errors(try await check(viewing)).contains { $0.contains("view tried reads recorder.conversation_costs") }
        )
    }

    @Test func `a column that nothing uses is a warning, and so is one that no event has`() async throws {
        let idle = try files(apply: {
            $0.replacing("-- column: latency_ms", with: "-- column: turn_id uuid = data.turnId\n-- column: latency_ms")
        })
        let report = try await check(idle)
        #expect(report.passes)
        #expect(
            warnings(report).count == 1 && warnings(report)[0].contains("column turn_id is declared but never used")
        )

        let misspelt = try await check(
            files(apply: { $0.replacing("data.endToEndLatencyMs", with: "data.endToEndLatency") })
        )
        #expect(warnings(misspelt).contains { $0.contains("no sample event has data.endToEndLatency") })
    }

    @Test func `a type that events do not fit is an error`() async throws {
        let found = errors(
            try await check(
                files(apply: {
                    $0.replacing("latency_ms numeric =", with: "latency_ms bigint =")
                })
            )
        )
        #expect(found.contains { $0.contains("column latency_ms") && $0.contains("is no bigint") }, "\(found)")
    }

    @Test func `what cannot be installed or prepared is said with its place`() async throws {
        let table = errors(try await check(files(table: { $0.replacing("bigint ", with: "bigint_ ") })))
        #expect(table.contains { $0.hasPrefix("table.sql cannot be installed") && $0.contains("bigint_") })
        let apply = errors(
            try await check(files(apply: { $0.replacing("max(occurred_at)", with: "max(happened_at)") }))
        )
        #expect(apply.contains { $0.hasPrefix("apply.sql:21: the statement is not valid") }, "\(apply)")
        let view = errors(try await check(files(view: { $0.replacing("from tried_v1", with: "from tried_v2") })))
        #expect(view.contains { $0.hasPrefix("view.sql cannot be installed") })
        #expect(throws: SchemaError.self) { try files(table: { $0 + "commit;" }) }
    }

    @Test func `names, owners and grants follow the contract`() async throws {
        let owner = errors(try await check(files(table: { $0.replacing("alter table", with: "-- alter table") })))
        #expect(owner.contains { $0.contains("tried_v1 belongs to") })
        let grant = errors(try await check(files(view: { $0.replacing("grant select", with: "-- grant select") })))
        #expect(grant == ["view.sql: grant select on tried to recorder_analyst is missing"])
        let taken = errors(
            try await check(
                files(view: {
                    $0.replacing("view tried", with: "view conversation_turns").replacing(
                        "on tried",
                        with: "on conversation_turns"
                    )
                })
            )
        )
        #expect(taken.contains { $0.contains("the name conversation_turns is taken") }, "\(taken)")
    }

    @Test func `a clock in apply.sql is a warning`() async throws {
        let report = try await check(
            files(apply: { $0.replacing("max(occurred_at)", with: "max(least(occurred_at, now()))") })
        )
        #expect(warnings(report).contains { $0.contains("calls now") })
    }
}
