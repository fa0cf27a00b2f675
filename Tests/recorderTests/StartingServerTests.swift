import Foundation
import Postgres
import RecorderTesting
import Testing

/// A server that answers, but takes no connections yet.
@Suite(.timeLimit(.minutes(5))) struct StartingServerTests {
    @Test(arguments: [false, true])
    func `the projector waits for it`(isDaemon: Bool) async throws {
        try await withTestDatabase { database in
            try await withConnection(database) { connection in
                @Sendable func allowConnections(_ isAllowed: Bool) async throws {
                    try await connection.run(
                        unsafeSQL:
                            "update pg_database set datallowconn = \(isAllowed) where datname = current_database()"
                    )
                }
                try await allowConnections(false)
                let arguments = isDaemon ? ["project"] : ["project", "--until-caught-up"]
                let process = try RecorderCommand(arguments, databaseURL: database.url)
                try await eventually("it waits") { process.errorsSoFar.contains("waiting for the server") }
                try await allowConnections(true)
                if isDaemon {
                    try await eventually("it projects") { process.errorsSoFar.contains("projecting ") }
                    process.send(SIGTERM)
                }
                let result = await process.result()
                #expect(result.status == 0, "\(result.errors)")
            }
        }
    }
}
