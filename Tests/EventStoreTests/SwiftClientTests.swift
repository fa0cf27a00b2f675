import EventModel
import EventStore
import Postgres
import RecorderTesting
import Testing

/// What the README shows a service in Swift, by public names alone.
@Suite struct SwiftClientTests {
    @Test func `a service appends, repeats itself, and goes on reading where it was`() async throws {
        try await withTestDatabase { database in
            let store = PostgresEventStore(url: database.url, schema: try #require(database.schema))
            let session = StreamID.generate(at: .now())
            let events = [
                try SessionStarted(llmProvider: "openai").draft(), try SessionEnded(reason: "user_left").draft(),
            ]
            try await store.withAppender { appender in
                let append = Append(stream: session, expectedVersion: .noStream, events: [events[0]])
                let receipt = try await appender.append(append)
                #expect(receipt.versions == 1...1 && !receipt.wasStoredBefore)
                let again = try await appender.append(append)
                #expect(again.wasStoredBefore && again.positions == receipt.positions)
                let end = Append(stream: session, expectedVersion: .exactly(1), events: [events[1]])
                _ = try await appender.append(end)
            }
            var saved = LogCursor.beginning.description
            for event in events {
                let cursor = try #require(LogCursor(saved))
                for try await batch in store.subscribe(after: cursor, batchSize: 1) {
                    #expect(batch.events.map(\.id) == [event.id])
                    saved = batch.cursor.description
                    break
                }
            }
            await store.close()
        }
    }
}
