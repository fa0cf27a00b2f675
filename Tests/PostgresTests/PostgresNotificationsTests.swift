import Operations
import Postgres
import RecorderTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct PostgresNotificationsTests {
    private func notifications(
        _ configuration: PostgresConfiguration,
        channels: [String] = ["news"],
        quietAfter: Duration? = nil
    ) -> PostgresNotifications {
        PostgresNotifications(configuration, channels: channels, quietAfter: quietAfter, logger: silent)
    }

    /// The process that serves the listener.
    private func listener(_ observer: PostgresConnection) async throws -> Int32 {
        try #require(
            try await observer.first(
                Column<Int32>(
                    "select pid from pg_stat_activity where query like 'listen%' and datname = current_database()"
                )
            )
        )
    }

    @Test func `a notification arrives with its channel and payload`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { sender in
                let odd = "Odd \"channel\""
                var iterator = notifications(configuration, channels: ["news", odd]).makeAsyncIterator()
                try await #expect(iterator.next() == .listening(again: false))
                try await sender.run(
                    unsafeSQL: "notify news; notify news, 'payload'; notify \"Odd \"\"channel\"\"\", 'ż'"
                )
                try await #expect(iterator.next() == .received(channel: "news", payload: ""))
                try await #expect(iterator.next() == .received(channel: "news", payload: "payload"))
                try await #expect(iterator.next() == .received(channel: odd, payload: "ż"))
            }
        }
    }

    @Test func `silence is told after the time that was asked for, and does not hide what comes`() async throws {
        try await withDatabase { configuration in
            var iterator = notifications(configuration, quietAfter: .milliseconds(20)).makeAsyncIterator()
            try await #expect(iterator.next() == .listening(again: false))
            try await #expect(iterator.next() == .quiet)
            try await withSession(configuration) { sender in try await sender.run(unsafeSQL: "notify news") }
            // On a busy machine it may be silent again before the notification comes.
            var event = try await iterator.next()
            while event == .quiet { event = try await iterator.next() }
            #expect(event == .received(channel: "news", payload: ""))
        }
    }

    @Test func `a listener is not taken for a session that its owner forgot`() async throws {
        try await withDatabase { configuration in
            var configuration = configuration
            configuration.settings["idle_session_timeout"] = "2s"
            var iterator = notifications(configuration).makeAsyncIterator()
            try await #expect(iterator.next() == .listening(again: false))
            // Made later, and ended first.
            let idle = try await PostgresConnection.connect(configuration, logger: silent)
            let process = try #require(try await idle.first(Column<Int32>("select pg_backend_pid()")))
            configuration.settings["idle_session_timeout"] = "0"
            try await withSession(configuration) { observer in
                let alive = Column<Int32>("select pid from pg_stat_activity where pid = \(process)")
                try await eventually("the idle session is ended") { try await observer.first(alive) == nil }
                try await observer.run(unsafeSQL: "notify news")
            }
            try await #expect(iterator.next() == .received(channel: "news", payload: ""))
            await idle.close()
        }
    }

    @Test func `a listener whose session is ended listens again and says so`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { observer in
                var iterator = notifications(configuration).makeAsyncIterator()
                try await #expect(iterator.next() == .listening(again: false))
                for _ in 0..<3 {
                    try await observer.terminate(listener(observer))
                    try await #expect(iterator.next() == .listening(again: true))
                    try await observer.run(unsafeSQL: "notify news, 'again'")
                    try await #expect(iterator.next() == .received(channel: "news", payload: "again"))
                }
            }
        }
    }

    @Test func `a listener listens again after the server was stopped and started`() async throws {
        try await withTestServer { server in
            let configuration = PostgresConfiguration(url: server.url())
            let events = Mutex<[PostgresNotification]>([])
            let task = Task {
                // While the server is away the listener says that it is quiet, as often as it tries.
                for try await event in notifications(configuration, quietAfter: .seconds(600)) where event != .quiet {
                    events.withLock { $0.append(event) }
                }
            }
            try await eventually("it listens") { events.withLock { $0 } == [.listening(again: false)] }
            await server.stopImmediately()
            try await server.restart()
            try await eventually("it listens again") {
                events.withLock { $0 } == [.listening(again: false), .listening(again: true)]
            }
            try await withSession(configuration, logger: silent) { sender in
                try await sender.run(unsafeSQL: "notify news")
            }
            try await eventually("the notification arrives") {
                events.withLock { $0.last } == .received(channel: "news", payload: "")
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func `cancellation ends the wait, and the session with it`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { observer in
                let isListening = Gate()
                let task = Task {
                    for try await event in notifications(configuration) where event == .listening(again: false) {
                        isListening.open()
                    }
                }
                await isListening.pass()
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                try await eventually("the session ends") {
                    try await observer.first(
                        Column<Int>(
                            "select count(*) from pg_stat_activity where query like 'listen%' and datname = current_database()"
                        )
                    ) == 0
                }
            }
        }
    }

    @Test func `a first attempt that fails is an error`() async throws {
        let configuration = PostgresConfiguration(url: "host=/nonexistent user=nobody")
        var iterator = notifications(configuration).makeAsyncIterator()
        do {
            _ = try await iterator.next()
            Issue.record("nothing was thrown")
        } catch let error as PostgresError {
            #expect(error.code == .connectionFailed)
        }
    }
}
