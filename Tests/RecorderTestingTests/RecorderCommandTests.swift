import Foundation
import Postgres
import RecorderTesting
import Testing

@Suite struct RecorderCommandTests {
    @Test(.timeLimit(.minutes(1)))
    func `who stops waiting for a process ends it`() async throws {
        try await withTestDatabase { database in
            let process = try RecorderCommand(["project"], databaseURL: database.url)
            let waiter = Task { await process.result() }
            // Whether it waits by then or not, the process has to end.
            waiter.cancel()
            #expect(await waiter.value.status == -SIGKILL)
        }
    }
}
