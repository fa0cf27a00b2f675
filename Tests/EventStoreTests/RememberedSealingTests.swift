import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// How long an appender counts on what it remembers of sealing, while it cannot ask.
@Suite(.timeLimit(.minutes(5))) struct RememberedSealingTests {
    @Test func `an appender whose store was closed stores nothing any more`() async throws {
        try await withStore { store, configuration in
            let session = try SealedLog.session(.fresh(), of: .random())
            try await store.withAppender { appender in
                _ = try await appender.append(Append(stream: session.stream, events: [session.events[0]]))
                await store.close()
                try await SealedLog.withPool(configuration) { pool in
                    let keys = SealingKeys([LocalKeyEncryptionKey()])
                    _ = try await KeyAdministration(pool, keys: keys).initialise()
                }
                let late = Append(stream: session.stream, events: [session.events[1]])
                let error = await failure { try await appender.append(late) }
                #expect(error?.code == .closed)
                let results = try await appender.append(independently: [late])
                let alone = #expect(throws: EventStoreError.self) { try results[0].get() }
                #expect(alone?.code == .closed)
            }
            #expect(try await SealedLog.text("select max(version) from events", on: configuration) == [["1"]])
        }
    }

    @Test func `while only new connections fail, appends go on for as long as they are patient`() async throws {
        try await withStore { store, configuration in
            var named = configuration
            named.applicationName = "keys"
            try await PostgresPool.with(named, limits: .init(size: 2), logger: TestServer.silent) { pool in
                let sealer = SubjectSealer(
                    pool,
                    keys: .none,
                    patience: .seconds(3),
                    server: ServerPatience(logger: TestServer.silent)
                )
                try await withConnection(configuration) { connection in
                    @Sendable func allowConnections(_ isAllowed: Bool) async throws {
                        // ALTER DATABASE does not do this to the database that it is run in.
                        try await connection.run(
                            unsafeSQL: """
                                update pg_database set datallowconn = \(isAllowed) where datname = current_database()
                                """
                        )
                        try await connection.run(
                            unsafeSQL: """
                                select pg_terminate_backend(pid, 10000) from pg_stat_activity
                                where application_name = 'keys' and datname = current_database()
                                """
                        )
                    }
                    let stream = StreamID.fresh()
                    try await EventAppender.withAppender(
                        to: configuration,
                        limits: .init(connections: 1),
                        encoder: try await store.encoder(),
                        sealer: sealer,
                        logger: TestServer.silent
                    ) { appender in
                        _ = try await appender.append(.of(to: stream))
                        try await allowConnections(false)
                        var stored = 1
                        let start = ContinuousClock.now
                        let error = await failure {
                            while ContinuousClock.now < start + .seconds(60) {
                                _ = try await appender.append(.of(to: stream))
                                stored += 1
                            }
                        }
                        #expect(error?.code == .unavailable)
                        #expect(stored > 1, "what is remembered counts for a while")
                        try await allowConnections(true)
                        let receipt = try await appender.append(.of(to: stream))
                        #expect(receipt.firstVersion == stored + 1)
                    }
                }
            }
        }
    }
}
