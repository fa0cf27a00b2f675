import EventModel
import Logging
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// A store that cannot be used says so in errors that its users can tell apart.
@Suite struct StoreFailureTests {
    /// What is asked of a store, by name.
    private static let uses: [(name: String, use: @Sendable (PostgresEventStore) async throws -> Void)] = [
        (
            "append",
            { store in
                try await store.withAppender(limits: .init(patience: .milliseconds(100))) {
                    _ = try await $0.append(.of(to: .fresh()))
                }
            }
        ),
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

    @Test(arguments: [" dbname=nowhere", " user=stranger", " nonsense=1"])
    func `what cannot pass is not waited for`(addition: String) async throws {
        try await withTestDatabase(.empty) { configuration in
            var wrong = configuration
            wrong.url += addition
            try await withStore(wrong) { store in
                let start = ContinuousClock.now
                let first = await failure { try await store.withAppender { _ in } }
                let key = await failure { try await store.checkSealingKey() }
                #expect(first?.code == .unavailable && key?.code == .unavailable)
                #expect(start.duration(to: .now) < SubjectSealer.patience)
            }
        }
    }

    @Test func `what may pass is waited for before the first append, and said`() async throws {
        try await withTestDatabase { configuration in
            let looks: [@Sendable (PostgresEventStore) async throws -> Void] = [
                { store in try await store.withAppender { _ = try await $0.append(.of(to: .fresh())) } },
                { store in try await store.checkSealingKey() },
            ]
            try await withConnection(configuration) { connection in
                @Sendable func allowConnections(_ isAllowed: Bool) async throws {
                    try await connection.run(
                        unsafeSQL:
                            "update pg_database set datallowconn = \(isAllowed) where datname = current_database()"
                    )
                }
                for look in looks {
                    let (said, say) = AsyncStream.makeStream(of: String.self)
                    let logger = Logger(label: "test") { _ in SayingHandler(say: { say.yield($0) }) }
                    try await allowConnections(false)
                    try await PostgresEventStore.with(configuration, logger: logger) { store in
                        async let looking: Void = {
                            // A look that fails at once says nothing.
                            defer { say.finish() }
                            try await look(store)
                        }()
                        let first = await said.first { _ in true }
                        #expect(first == "an append is tried again")
                        try await allowConnections(true)
                        try await looking
                    }
                }
            }
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

/// Hands what is logged to a closure.
private struct SayingHandler: LogHandler {
    let say: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .warning

    init(say: @escaping @Sendable (String) -> Void) { self.say = say }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { say("\(event.message)") }
}
