import Operations
import Postgres
import RecorderTesting
import Testing

@Suite struct TestDatabaseTests {
    @Test func `each test has a database of its own`() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...40 {
                group.addTask {
                    try await withTestConnection(.empty) { connection in
                        try await connection.run(unsafeSQL: "create table public.t as select \(number) as n")
                        let rows = try await connection.text(unsafeSQL: "select n from public.t")
                        #expect(rows == [["\(number)"]])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a server of one's own can crash`() async throws {
        try await withTestServer { server in
            await server.stopImmediately()
            let error = await #expect(throws: PostgresError.self) {
                try await PostgresConnection.connect(
                    PostgresConfiguration(url: server.url()),
                    logger: TestServer.logger
                )
            }
            #expect(error?.code == .connectionFailed)
            try await server.restart()
            let connection = try await PostgresConnection.connect(
                PostgresConfiguration(url: server.url()),
                logger: TestServer.logger
            )
            await connection.close()
        }
    }
}
