import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// The program under the roles that are made for its parts, and under nothing else.
@Suite struct RoleTests {
    /// Lends out the URL of a login that is in one role only.
    private static func withLogin(
        in role: String,
        of database: PostgresConfiguration,
        _ body: (String) async throws -> Void
    ) async throws {
        let login = "\(role)_\(UUID().uuidString.prefix(8).lowercased())"
        try await withConnection(database) { administrator in
            try await administrator.run(unsafeSQL: "create role \(login) login in role \(role)")
            do {
                try await body("\(database.url) user=\(login)")
            } catch {
                try await administrator.run(unsafeSQL: "drop role \(login)")
                throw error
            }
            try await administrator.run(unsafeSQL: "drop role \(login)")
        }
    }

    @Test func `each part of the program needs its own role only`() async throws {
        try await withTestDatabase { database in
            let user = UUID().uuidString.lowercased()
            let event =
                #"{"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","type":"session.started","data":{"userId":"\#(user)"}}"#
            try await Self.withLogin(in: "recorder_appender", of: database) { url in
                let appended = try await RecorderCommand.run("append", databaseURL: url, input: event + "\n")
                #expect(appended.status == 0, "\(appended.errors)")
            }
            try await Self.withLogin(in: "recorder_projector", of: database) { url in
                let projected = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: url)
                #expect(projected.status == 0, "\(projected.errors)")
                let status = try await RecorderCommand.run("projections", "list", databaseURL: url)
                #expect(status.status == 0, "\(status.errors)")
            }
            try await Self.withLogin(in: "recorder_analyst", of: database) { url in
                let status = try await RecorderCommand.run("projections", "status", databaseURL: url)
                #expect(status.status == 1)
                #expect(status.errors.contains("a login in the role that may: recorder_appender"), "\(status.errors)")
                #expect(!status.errors.contains(".sql"), "\(status.errors)")
                let sessions = try await RecorderCommand.run("sessions", "--json", databaseURL: url)
                #expect(sessions.status == 0, "\(sessions.errors)")
                #expect(sessions.output.contains(user))
            }
        }
    }

    /// Stores and projects an audited event about a user.
    private static func audit(_ user: String, _ database: PostgresConfiguration) async throws {
        let line = Lines.event(
            stream: Lines.stream(),
            type: "user.logged_in",
            ("data", #"{"userId":"\#(user)","result":"success"}"#)
        )
        let appended = try await RecorderCommand.run("append", databaseURL: database.url, input: line)
        #expect(appended.status == 0, "\(appended.errors)")
        let projected = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
        #expect(projected.status == 0, "\(projected.errors)")
    }

    @Test func `a role that sees nothing is told so, and verifies nothing`() async throws {
        try await withTestDatabase { database in
            let user = UUID().uuidString.lowercased()
            try await Self.audit(user, database)
            try await Self.withLogin(in: "recorder_service", of: database) { url in
                let verified = try await RecorderCommand.run("audit", "verify", databaseURL: url)
                #expect(verified.status == 1 && verified.output.isEmpty)
                #expect(verified.errors.contains("acts for nobody"), "\(verified.errors)")
                try await withConnection(database) { connection in
                    try await connection.run(
                        unsafeSQL: "set recorder.user_id = '\(user)'; select take_token('chat', 1, 1)"
                    )
                }
                let limits = try await RecorderCommand.run("limits", "list", databaseURL: url)
                #expect(limits.status == 0 && limits.output.isEmpty, "\(limits.output)")
                #expect(limits.errors.contains("such as a member of recorder_owner"), "\(limits.errors)")
                for command in ["sessions", "audit", "costs"] {
                    let shown = try await RecorderCommand.run(command, databaseURL: url)
                    #expect(shown.status == 0 && shown.errors.contains("nothing is shown"), "\(shown.errors)")
                }
                let own = "\(url) options='-c recorder.user_id=\(user)'"
                let extent = try await RecorderCommand.run("audit", "verify", "--json", databaseURL: own).json()
                #expect(extent.map { $0["rows"]?.integer } == [1])
            }
            try await Self.withLogin(in: "recorder_analyst", of: database) { url in
                let verified = try await RecorderCommand.run("audit", "verify", databaseURL: url)
                #expect(verified.status == 0 && verified.output.contains("1 chain, 1 row"), "\(verified.errors)")
                let sessions = try await RecorderCommand.run("sessions", databaseURL: url)
                #expect(sessions.status == 0 && sessions.errors.isEmpty, "\(sessions.errors)")
            }
        }
    }

    @Test func `an erasure whose tables cannot be rewritten has its certificate`() async throws {
        try await withTestDatabase { database in
            let user = UUID().uuidString.lowercased()
            let event =
                #"{"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","type":"session.started","data":{"userId":"\#(user)"}}"#
            _ = try await RecorderCommand.run("append", databaseURL: database.url, input: event + "\n")
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            try await Self.withLogin(in: "recorder_owner", of: database) { url in
                let erased = try await RecorderCommand.run(
                    "subject",
                    "erase",
                    user,
                    "--yes",
                    "--scrub",
                    databaseURL: url
                )
                #expect(erased.status == 1 && erased.errors.contains("is erased, as the certificate says"))
                #expect(erased.errors.contains("CREATE on the database"), "\(erased.errors)")
                #expect(try erased.json().first?["subject"]?.string == user)
            }
        }
    }

    @Test(arguments: [
        ["retention", "policies"],
        ["subject", "export", "019cad8f-ac00-7e4e-a7b6-815d4e98868f", "--to", "/nowhere/export"],
        ["cache", "stats"], ["project", "--until-caught-up"], ["projections", "verify"],
    ])
    func `what is missing is told as it is`(words: [String]) async throws {
        try await withTestDatabase(.empty) { database in
            let unmigrated = try await RecorderCommand(words, databaseURL: database.url).result()
            #expect(unmigrated.status == 1)
            #expect(unmigrated.errors.contains("recorder migrate up"), "\(unmigrated.errors)")
            let absent = try await RecorderCommand(words, databaseURL: "\(database.url) dbname=nosuchdatabase").result()
            #expect(absent.status == 1)
            #expect(absent.errors.contains("does not exist"), "\(absent.errors)")
            #expect(!absent.errors.contains("refused") && !absent.errors.contains("migrate up"), "\(absent.errors)")
            for result in [unmigrated, absent] {
                #expect(!result.errors.contains("..") && !result.errors.contains(".;"), "\(result.errors)")
            }
        }
    }

    @Test(arguments: [
        ["retention", "policies"], ["cache", "stats"], ["project", "--until-caught-up"], ["projections", "verify"],
    ])
    func `a role without rights on the schema is not told to migrate`(words: [String]) async throws {
        try await withTestDatabase { database in
            let login = "stranger_\(UUID().uuidString.prefix(8).lowercased())"
            try await withConnection(database) { administrator in
                try await administrator.run(unsafeSQL: "create role \(login) login")
                let result = try await RecorderCommand(words, databaseURL: "\(database.url) user=\(login)").result()
                #expect(result.status == 1)
                #expect(result.errors.contains("may not use the schema"), "\(result.errors)")
                #expect(!result.errors.contains("migrate up"), "\(result.errors)")
                try await administrator.run(unsafeSQL: "drop role \(login)")
            }
        }
    }
}
