import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// A store that cannot be used says so in errors that its users can tell apart.
@Suite struct StoreFailureTests {
    /// What is asked of a store, by name.
    private static let uses: [(name: String, use: @Sendable (PostgresEventStore) async throws -> Void)] = [
        ("append", { store in try await store.withAppender { _ = try await $0.append(.of(to: .fresh())) } }),
        ("read", { store in _ = try await store.read(.fresh()) }),
        ("readLog", { store in _ = try await store.readLog() }),
        ("head", { store in _ = try await store.head() }),
    ]

    private func expectFailures(_ code: EventStoreError.Code, of store: PostgresEventStore) async {
        for (name, use) in Self.uses {
            let error = await #expect(throws: EventStoreError.self, "\(name)") { try await use(store) }
            #expect(error?.code == code, "\(name): \(error.map(String.init(describing:)) ?? "nothing")")
        }
    }

    @Test func `without a server it is unavailable`() async throws {
        try await withStore(PostgresConfiguration(url: "host=/nonexistent dbname=none")) { store in
            await expectFailures(.unavailable, of: store)
        }
    }

    @Test func `without the tables it refuses, and says what to do`() async throws {
        try await withTestDatabase(.empty) { configuration in
            try await withStore(configuration) { store in
                await expectFailures(.refused, of: store)
                let error = await failure { try await store.withAppender { _ in } }
                #expect(error?.message.contains("recorder migrate up") == true)
            }
        }
    }

    @Test func `after it was closed it says that it is closed`() async throws {
        try await withStore { store, _ in
            _ = try await store.head()
            await store.close()
            await expectFailures(.closed, of: store)
        }
    }
}
