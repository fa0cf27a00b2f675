import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// A server that takes no writes: a standby that a name leads to, or one that was told so because its disk is full.
@Suite(.timeLimit(.minutes(5))) struct ReadOnlyServerTests {
    private func set(_ setting: String, _ configuration: PostgresConfiguration) async throws {
        try await withConnection(configuration) { connection in
            try await connection.run(unsafeSQL: "set default_transaction_read_only = off")
            let database = try await connection.text(unsafeSQL: "select current_database()")
            let name = try #require(database.first?.first.flatMap { $0 })
            try await connection.run(unsafeSQL: "alter database \"\(name)\" \(setting)")
        }
    }

    @Test func `an append waits for it, and is stored when it takes writes again`() async throws {
        try await withStore { store, configuration in
            try await set("set default_transaction_read_only = on", configuration)
            let stream = StreamID.fresh()
            try await store.withAppender { appender in
                async let receipt = appender.append(.of(to: stream))
                // The writer connects anew for each attempt: the second one has seen that the first was refused.
                var connections: Set<String> = []
                while connections.count < 2 {
                    let sessions = try await withConnection(configuration) { connection in
                        try await connection.text(
                            unsafeSQL: """
                                select pid::text from pg_stat_activity
                                where datname = current_database() and query like '%insert into events%'
                                    and pid <> pg_backend_pid()
                                """
                        )
                    }
                    connections.formUnion(sessions.compactMap { $0.first.flatMap { $0 } })
                }
                try await set("reset default_transaction_read_only", configuration)
                #expect(try await receipt.versions == 1...1)
            }
            #expect(try await store.read(stream).map(\.version) == [1])
        }
    }
}
