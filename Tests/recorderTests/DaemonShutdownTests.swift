import Foundation
import Operations
import Postgres
import RecorderTesting
import Testing

/// How daemons end when there is nobody to say goodbye to.
@Suite(.timeLimit(.minutes(10))) struct DaemonShutdownTests {
    @Test func `a projector whose server is gone still ends on SIGTERM`() async throws {
        try await withTestServer { server in
            let database = PostgresConfiguration(url: server.url(), schema: "recorder")
            let migrated = try await RecorderCommand.run("migrate", "up", databaseURL: database.url)
            #expect(migrated.status == 0, "\(migrated.errors)")
            let daemon = try RecorderCommand(["project"], databaseURL: database.url)
            let connection = try await PostgresConnection.connect(database)
            var owned = "0"
            while owned == "0", kill(daemon.id, 0) == 0 {
                let rows = try await connection.text(
                    unsafeSQL: "select count(*) from projection_checkpoints where owner is not null"
                )
                owned = rows.first?.first.flatMap { $0 } ?? "0"
            }
            await connection.close()
            await server.stopImmediately()
            daemon.send(SIGTERM)
            let ended = await daemon.result()
            #expect(ended.status == 0, "\(ended.errors)")
            try await server.restart()
        }
    }
}
