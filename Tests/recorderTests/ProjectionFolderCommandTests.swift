import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder projections new` and `check`, and `recorder repair restored-log`.
@Suite struct ProjectionFolderCommandTests {
    @Test func `a new projection passes its check, and one that was spoilt does not`() async throws {
        try await withTestDatabase { database in
            let folder = FileManager.default.temporaryDirectory.appending(path: "projections-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = folder.path(percentEncoded: false)
            let laid = try await RecorderCommand.run("projections", "new", "silences", "--projections", path)
            #expect(laid.status == 0 && laid.lines.count == 3, "\(laid.errors)")
            let listed = try await RecorderCommand.run("projections", "list", "--json", "--projections", path).json()
            #expect(listed.contains { $0["projection"]?.string == "silences" })
            #expect(listed.contains { $0["projection"]?.string == "conversation_turns" })
            let again = try await RecorderCommand.run("projections", "new", "silences", "--projections", path)
            #expect(again.status == 1 && again.errors.contains("is there already"))
            let version = "\(path)/silences/v1"
            let good = try await RecorderCommand.run("projections", "check", version, databaseURL: database.url)
            #expect(good.status == 0, "\(good.output)\(good.errors)")
            #expect(good.output.contains("silences v1 keeps the contract"))

            let apply = URL(filePath: "\(version)/apply.sql")
            let text = try String(contentsOf: apply, encoding: .utf8)
            let spoilt = text.replacing("completed_turns = total.completed_turns +", with: "completed_turns =")
            try Data(spoilt.utf8).write(to: apply)
            let bad = try await RecorderCommand.run(
                "projections",
                "check",
                version,
                "--json",
                databaseURL: database.url
            )
            #expect(bad.status == 1)
            #expect(try bad.json().contains { $0["message"]?.string?.contains("cut between its events") == true })
            #expect(try bad.json().last?["passes"]?.bool == false)

            let nothing = try await RecorderCommand.run("projections", "check", path + "x", databaseURL: database.url)
            #expect(nothing.status == 1 && nothing.errors.contains("cannot read"))
        }
    }

    @Test func `for shards of one's own projection that nobody works on, the folder is asked for`() async throws {
        try await withTestDatabase { database in
            let folder = FileManager.default.temporaryDirectory.appending(path: "projections-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = folder.path(percentEncoded: false)
            _ = try await RecorderCommand.run("projections", "new", "silences", "--projections", path)
            let project = ["project", "--until-caught-up", "--projections", path]
            let projected = try await RecorderCommand.run(project, databaseURL: database.url)
            #expect(projected.status == 0, "\(projected.errors)")
            let status = try await RecorderCommand.run("projections", "status", databaseURL: database.url)
            let unowned = status.lines.filter { $0.contains("nobody works on shards") }
            #expect(unowned.contains { $0.hasPrefix("silences v1") && $0.contains("--projections DIR") })
            #expect(unowned.contains { $0.hasPrefix("interruptions v1") && !$0.contains("--projections") })
        }
    }

    @Test func `events of one's own are a sample as well`() async throws {
        try await withTestDatabase { database in
            let line =
                #"{"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","type":"turn.interrupted","data":{"by":"user"}}"#
            let file = FileManager.default.temporaryDirectory.appending(path: "sample-\(UUID().uuidString).jsonl")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data((line + "\n \t\n" + line + "\n").utf8).write(to: file)
            let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "projections/interruptions/v1").path(percentEncoded: false)
            let checked = try await RecorderCommand.run(
                "projections",
                "check",
                folder,
                "--json",
                "--events",
                file.path(percentEncoded: false),
                databaseURL: database.url
            )
            #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
            #expect(try checked.json().last?["events"]?.integer == 2)
            #expect(checked.output.contains("no sample event is session.started"))
        }
    }

    @Test func `a log of this cluster needs no repair, one from elsewhere is told what to do`() async throws {
        try await withTestDatabase { database in
            func repair() async throws -> RecorderCommand.Result {
                try await RecorderCommand.run("repair", "restored-log", "--json", databaseURL: database.url)
            }
            #expect(try await repair().json().first?["action"]?.string == "none")
            let connection = try await PostgresConnection.connect(database)
            try await connection.run(unsafeSQL: "update log_home set system_identifier = 5")
            await connection.close()
            let project = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            #expect(project.status == 1 && project.errors.contains("recorder repair restored-log"), "\(project.errors)")
            let status = try await RecorderCommand.run("projections", "status", databaseURL: database.url)
            #expect(status.status == 1 && status.errors.contains("recorder repair restored-log"), "\(status.errors)")
            let append = try await RecorderCommand.run(
                "append",
                databaseURL: database.url,
                input: #"{"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","type":"session.started"}"# + "\n"
            )
            #expect(append.status == 1 && append.errors.contains("restored from another cluster"), "\(append.errors)")
            #expect(try await repair().json().first?["action"]?.string == "adopted")
            #expect(
                try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url).status == 0
            )
        }
    }
}
