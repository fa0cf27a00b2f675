import EventModel
import Logging
import PayloadCodec
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

    @Test(arguments: [" dbname=nowhere", " user=stranger"])
    func `an appender that is not let in refuses at once`(addition: String) async throws {
        try await withTestDatabase(.empty) { configuration in
            var wrong = configuration
            wrong.url += addition
            let limits = EventAppender.Limits()
            let appender = EventAppender(
                to: wrong,
                limits: limits,
                encoder: PayloadEncoder(),
                logger: TestServer.silent
            )
            async let running: Void = appender.run()
            let start = ContinuousClock.now
            let error = await failure { try await appender.append(.of(to: .fresh())) }
            #expect(error?.code == .refused)
            #expect(start.duration(to: .now) < limits.patience)
            appender.close()
            await running
        }
    }

    @Test func `an appender that is no longer let in does not claim that what it sent was not stored`()
        async throws
    {
        try await withStore { _, configuration in
            let role = "appender_\(EventID.fresh())".replacing("-", with: "_")
            var named = configuration
            named.url += " user=\(role)"
            try await withConnection(configuration) { administrator in
                try await administrator.run(unsafeSQL: "create role \(role) superuser login")
                let appender = EventAppender(to: named, encoder: PayloadEncoder(), logger: TestServer.silent)
                async let running: Void = appender.run()
                try await administrator.run(unsafeSQL: "begin; lock table events in access exclusive mode")
                let start = ContinuousClock.now
                async let appending = failure { try await appender.append(.of(to: .fresh())) }
                try await withConnection(configuration) { other in
                    let sessions = "from pg_stat_activity where usename = '\(role)'"
                    let waits = "select 1 from pg_locks where not granted and pid in (select pid \(sessions))"
                    try await eventually("the append waits") { try await !other.text(unsafeSQL: waits).isEmpty }
                    try await other.run(unsafeSQL: "alter role \(role) nologin")
                    try await other.run(unsafeSQL: "select pg_terminate_backend(pid) \(sessions)")
                }
                let error = await appending
                #expect(error?.code == .unavailable)
                #expect((error?.cause as? PostgresError)?.isLasting == true)
                #expect(start.duration(to: .now) < EventAppender.Limits().patience)
                try await administrator.run(unsafeSQL: "rollback")
                appender.close()
                await running
                try await administrator.run(unsafeSQL: "drop role \(role)")
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
