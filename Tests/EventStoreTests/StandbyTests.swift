import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// A server that only replays what another one wrote.
@Suite(.timeLimit(.minutes(5))) struct StandbyTests {
    @Test func `a standby gives streams and refuses cursors, until it is promoted`() async throws {
        try await withCrashingServer { configuration, crash in
            try await withStore(configuration) { store in
                let stream = StreamID.fresh()
                try await store.withAppender { appender in _ = try await appender.append(.of(to: stream)) }
                let before = try await store.readLog().cursor
                let folder = try await SealedLog.text("show data_directory", on: configuration)
                let path = try #require(folder.first?.first.flatMap { $0 })
                try Data().write(to: URL(filePath: path).appending(path: "standby.signal"))
                try await crash()

                #expect(try await store.read(stream).map(\.version) == [1])
                for cursor in [.beginning, before] {
                    let refusal = await failure { try await store.readLog(after: cursor) }
                    #expect(refusal?.code == .unavailable)
                    #expect(refusal?.description.contains("standby") == true)
                }
                let head = await failure { try await store.head() }
                #expect(head?.code == .unavailable)

                #expect(try await SealedLog.text("select pg_promote()::text", on: configuration) == [["true"]])
                #expect(try await store.readLog().events.map(\.stream) == [stream])
                #expect(try await store.readLog(after: before).events.isEmpty)
            }
        }
    }
}
