import EventModel
import RecorderTesting
import Testing

@testable import EventStore

/// A cursor that has seen more than the database holds would pass over events without a word.
@Suite(.timeLimit(.minutes(5))) struct StrangeCursorTests {
    @Test(arguments: ["9000000000:9000000000:", "1:1:/9000000000:9000000000:@5"])
    func `reading on from it is refused`(text: String) async throws {
        try await withStore { store, _ in
            let cursor = try #require(LogCursor(text))
            try await store.withAppender { _ = try await $0.append(.of(to: .fresh())) }
            let page = await failure { try await store.readLog(after: cursor) }
            #expect(page?.code == .invalidCursor)
            var iterator = store.subscribe(after: cursor).makeAsyncIterator()
            for _ in 0..<2 {
                do {
                    _ = try await iterator.next()
                    Issue.record("the subscription began")
                } catch let error as EventStoreError {
                    #expect(error.code == .invalidCursor)
                }
            }
        }
    }

    @Test func `a subscription notices that the log was taken back while it was away`() async throws {
        try await withCrashingServer { configuration, crash in
            try await withStore(configuration) { store in
                let rows = try await SealedLog.text("show data_directory", on: configuration)
                let data = try #require(rows.first?.first.flatMap { $0 })
                // Nobody writes meanwhile.
                try await SealedLog.run("alter system set autovacuum = off", on: configuration)
                try await crash()
                try await SealedLog.run("checkpoint", on: configuration)
                _ = try await ChildProgram.run("cp", ["-a", data, data + ".before"])
                _ = try await ChildProgram.run("rm", [data + ".before/postmaster.pid"])

                var iterator = store.subscribe(pollInterval: .milliseconds(100)).makeAsyncIterator()
                let stream = StreamID.fresh()
                for version in 1...20 {
                    try await store.withAppender { _ = try await $0.append(.of(to: stream)) }
                    #expect(try await iterator.next()?.events.map(\.version) == [version])
                }
                _ = try await ChildProgram.run("mv", [data, data + ".after"])
                _ = try await ChildProgram.run("mv", [data + ".before", data])
                try await crash()
                do {
                    _ = try await iterator.next()
                    Issue.record("the subscription went on")
                } catch let error as EventStoreError {
                    #expect(error.code == .invalidCursor)
                }
            }
        }
    }
}
