import EventModel
import Foundation
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// A server that keeps its connections and says nothing.
@Suite(.timeLimit(.minutes(5))) struct FrozenServerTests {
    /// The sessions of the test's database that have a name of their own.
    private func sessions(_ configuration: PostgresConfiguration) async throws -> [Int32] {
        try await withConnection(configuration) { connection in
            try await connection.text(
                unsafeSQL: """
                    select pid from pg_stat_activity
                    where application_name = 'frozen' and datname = current_database()
                    """
            ).compactMap { $0.first.flatMap { $0 }.flatMap { Int32($0) } }
        }
    }

    @Test func `its connection is given up, and the append is tried again on another`() async throws {
        try await withStore { store, configuration in
            var named = configuration
            named.applicationName = "frozen"
            var limits = EventAppender.Limits(connections: 1)
            limits.answerTimeout = .seconds(1)
            // The only session is the writer's then; it is idle, and holds nothing
            // of the server's, when its append was told.
            limits.notifies = false
            let appender = EventAppender(
                to: named,
                limits: limits,
                encoder: PayloadEncoder(),
                logger: TestServer.silent
            )
            async let running: Void = appender.run()
            let stream = StreamID.fresh()
            _ = try await appender.append(.of(to: stream))
            let frozen = try await sessions(configuration)
            try #require(!frozen.isEmpty)
            for session in frozen { kill(session, SIGSTOP) }
            defer { for session in frozen { kill(session, SIGCONT) } }
            let receipt = try await appender.append(.of(to: stream))
            #expect(receipt.versions == 2...2)
            appender.close()
            await running
            #expect(try await store.read(stream).map(\.version) == [1, 2])
        }
    }

    @Test func `a subscription leaves it, and goes on where it was on another`() async throws {
        try await withStore { store, configuration in
            var named = configuration
            named.applicationName = "frozen"
            named.answerTimeout = .seconds(1)
            try await withStore(named) { follower in
                let stream = StreamID.fresh()
                var iterator = follower.subscribe(pollInterval: .milliseconds(50)).makeAsyncIterator()
                try await store.withAppender { _ = try await $0.append(.of(to: stream)) }
                #expect(try await iterator.next()?.events.map(\.version) == [1])
                let frozen = try await sessions(configuration)
                try #require(!frozen.isEmpty)
                for session in frozen { kill(session, SIGSTOP) }
                defer { for session in frozen { kill(session, SIGCONT) } }
                try await store.withAppender { _ = try await $0.append(.of(to: stream)) }
                #expect(try await iterator.next()?.events.map(\.version) == [2])
            }
        }
    }

    @Test func `whoever reads has a bound, too, whether or not one was given`() async {
        for (given, bound) in [(nil, .seconds(60)), (.seconds(7), .seconds(7))] as [(Duration?, Duration)] {
            let store = PostgresEventStore(PostgresConfiguration(url: "", answerTimeout: given))
            #expect(store.pool.configuration.answerTimeout == bound)
            #expect(store.subscribe().configuration.answerTimeout == bound)
            await store.close()
        }
    }
}
