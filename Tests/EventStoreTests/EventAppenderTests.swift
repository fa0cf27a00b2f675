import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Synchronization
import Testing

@testable import EventStore

/// How an appender treats many producers: groups, bounds, cancellation, neighbours.
@Suite(.timeLimit(.minutes(10))) struct EventAppenderTests {
    private func appender(_ configuration: PostgresConfiguration, queueBytes: Int = 16 << 20) -> EventAppender {
        EventAppender(
            to: configuration,
            limits: .init(queueBytes: queueBytes, connections: 1),
            encoder: PayloadEncoder(),
            logger: TestServer.silent
        )
    }

    /// Starts appends one after another, so that they stand in the queue in this order, and waits until they do.
    private func queue(_ appends: [[Append]], in appender: EventAppender) async throws -> [Task<
        [AppendReceipt], any Error
    >] {
        var tasks: [Task<[AppendReceipt], any Error>] = []
        for append in appends {
            tasks.append(Task { try await appender.append(append) })
            try await eventually("\(tasks.count) appends are queued") { appender.queue.queuedParcels >= tasks.count }
        }
        return tasks
    }

    /// Makes the server refuse one event.
    private func poison(_ id: EventID, in configuration: PostgresConfiguration) async throws {
        let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        try await connection.run(
            unsafeSQL: """
                create function refuse_poison() returns trigger language plpgsql as $$
                begin raise exception 'poison'; end $$;
                create trigger refuse_poison before insert on events for each row
                when (new.event_id = '\(id)') execute function refuse_poison();
                """
        )
        await connection.close()
    }

    @Test func `64 producers with 16 appends in flight share commits and lose nothing`() async throws {
        try await withStore { store, configuration in
            let streams = (0..<64).map { _ in StreamID.fresh() }
            try await store.withAppender(limits: .init(queueBytes: 40_000)) { appender in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for stream in streams {
                        for _ in 0..<16 {
                            group.addTask {
                                for _ in 0..<4 { _ = try await appender.append(.of(to: stream)) }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            let rows = try await connection.text(
                unsafeSQL: """
                    select count(*), count(distinct transaction_id) < 1000, count(distinct stream_id), max(version),
                        count(distinct (stream_id, event_id)) from events
                    """
            )
            await connection.close()
            #expect(rows == [["4096", "t", "64", "64", "4096"]])
        }
    }

    @Test func `what is queued together is stored in one transaction, in order, and the same id once`() async throws {
        try await withStore { store, configuration in
            let stream = StreamID.fresh()
            let ids = (0..<20).map { _ in EventID.fresh() }
            let appender = appender(configuration)
            // Every append twice, each expecting what those before it leave.
            let appends = try ids.enumerated().flatMap { number, id in
                try [[Append.of([id], to: stream, expecting: .exactly(number))], [Append.of([id], to: stream)]]
            }
            let tasks = try await queue(appends, in: appender)
            appender.close()
            await appender.run()
            for (number, task) in tasks.enumerated() {
                let receipt = try #require(try await task.value.first)
                #expect(receipt.firstVersion == number / 2 + 1)
            }
            #expect(try await store.read(stream).map(\.id) == ids)
        }
    }

    @Test func `an append that the server refuses does not fail its neighbours`() async throws {
        try await withStore { store, configuration in
            let bad = EventID.fresh()
            try await poison(bad, in: configuration)
            let streams = (0..<30).map { _ in StreamID.fresh() }
            let (before, after) = (StreamID.fresh(), StreamID.fresh())
            let known = EventID.fresh()
            _ = try await store.withAppender { try await $0.append(.of([known], to: before)) }

            let appender = appender(configuration)
            var appends = try streams.map { [try Append.of(to: $0)] }
            // Settled before the group is stored, so it must not be settled again when that fails.
            appends.insert(try [.of([known], to: before)], at: 3)
            // All or nothing, also when a neighbour in the same append is refused.
            appends.insert(try [.of([.fresh()], to: after, expecting: .noStream), .of([bad], to: streams[7])], at: 20)
            // Its stream is as it expects, because what stands before it in the group is not stored.
            appends.append(try [.of(to: after, expecting: .noStream)])
            let tasks = try await queue(appends, in: appender)
            appender.close()
            await appender.run()
            for (number, task) in tasks.enumerated() where number != 20 {
                let receipt = try #require(try await task.value.first)
                #expect(receipt.firstVersion == 1)
                #expect(receipt.wasStoredBefore == (number == 3))
            }
            let refused = await failure { try await tasks[20].value }
            #expect(refused?.code == .refused)
            #expect(refused?.description.contains("poison") == true)
            #expect(try await store.read(after).count == 1)
            #expect(try await store.read(streams[7]).count == 1)
        }
    }

    @Test func `appends handed over together end each for itself, in their order`() async throws {
        try await withStore { store, _ in
            let (one, other) = (StreamID.fresh(), StreamID.fresh())
            let id = EventID.fresh()
            let appends = try [
                Append.of([id], to: one), .of(to: one, expecting: .exactly(1)), .of(to: one, expecting: .noStream),
                .of([], to: other), .of([id], to: one), .of(to: other, expecting: .exists), .of(to: one),
            ]
            let results = try await store.withAppender(limits: .init(queueBytes: 1)) {
                try await $0.append(independently: appends)
            }
            let outcomes = results.map { result in
                switch result {
                case .success(let receipt): "\(receipt.versions)\(receipt.wasStoredBefore ? " before" : "")"
                case .failure(let error): "\((error as? EventStoreError)?.code.rawValue ?? "\(error)")"
                }
            }
            #expect(
                outcomes == [
                    "1...1", "2...2", "wrongExpectedVersion", "invalidAppend", "1...1 before", "wrongExpectedVersion",
                    "3...3",
                ]
            )
        }
    }

    /// An appender takes the stream of a session that starts for empty and does not read it first.
    @Test func `a session that starts in a stream which is not empty is found out, by its key`() async throws {
        try await withStore { store, configuration in
            let (stream, other) = (StreamID.fresh(), StreamID.fresh())
            let start = try EventDraft(id: .fresh(), type: .sessionStarted)
            let first = Append(stream: stream, events: [start, try .turn()])
            try await store.withAppender { _ = try await $0.append(first) }
            // Appenders that know nothing of it: the same again, another start behind it, and neighbours.
            let again = try await store.withAppender { appender in
                try await appender.append(independently: [
                    first,
                    Append(stream: stream, events: [try EventDraft(id: .fresh(), type: .sessionStarted)]),
                    Append(stream: other, events: [try EventDraft(id: .fresh(), type: .sessionStarted)]),
                    Append(
                        stream: stream,
                        expectedVersion: .noStream,
                        events: [try EventDraft(id: .fresh(), type: .sessionStarted)]
                    ),
                ])
            }
            let receipts = again.map { try? $0.get() }
            #expect(receipts.map { $0?.firstVersion } == [1, 3, 1, nil])
            #expect(receipts.map { $0?.wasStoredBefore } == [true, false, false, nil])
            let error = #expect(throws: EventStoreError.self) { try again[3].get() }
            #expect(error?.code == .wrongExpectedVersion)
        }
    }

    @Test func `an append that is cancelled before it is taken is not stored`() async throws {
        try await withStore { store, configuration in
            let appender = appender(configuration, queueBytes: 1)
            let stream = StreamID.fresh()
            let queued = try await queue([try [.of(to: stream)]], in: appender)
            let blocked = Task { try await appender.append(.of(to: stream)) }
            try await eventually("the producer is blocked") { appender.queue.blockedProducers >= 1 }
            blocked.cancel()
            await #expect(throws: CancellationError.self) { try await blocked.value }
            queued[0].cancel()
            await #expect(throws: CancellationError.self) { try await queued[0].value }
            let early = Task {
                // Cancelling ends the wait, too.
                try? await eventually("the task is cancelled") { Task.isCancelled }
                return try await appender.append(.of(to: stream))
            }
            early.cancel()
            await #expect(throws: CancellationError.self) { try await early.value }
            let last = try await queue([try [.of(to: stream)]], in: appender)
            appender.close()
            await appender.run()
            #expect(try await last[0].value.first?.firstVersion == 1)
            #expect(try await store.read(stream).count == 1)
        }
    }

    @Test func `closing stores what was taken and refuses what comes after`() async throws {
        try await withStore { store, configuration in
            let appender = appender(configuration)
            let streams = (0..<50).map { _ in StreamID.fresh() }
            let tasks = try await queue(streams.map { [try Append.of(to: $0)] }, in: appender)
            appender.close()
            let late = await failure { try await appender.append(.of(to: streams[0])) }
            #expect(late?.code == .closed)
            let together = await failure { try await appender.append(independently: [.of(to: streams[0])]) }
            #expect(together?.code == .closed)
            await appender.run()
            for task in tasks { #expect(try await task.value.first?.versions == 1...1) }
            for stream in streams { #expect(try await store.read(stream).count == 1) }
        }
    }

    @Test func `an appender whose task is cancelled tells everybody that waits`() async throws {
        try await withStore { _, configuration in
            let appender = appender(configuration)
            let tasks = try await queue((0..<5).map { _ in [try Append.of(to: .fresh())] }, in: appender)
            let running = Task {
                // Cancelling ends the wait, too.
                try? await eventually("the task is cancelled") { Task.isCancelled }
                await appender.run()
            }
            running.cancel()
            await running.value
            for task in tasks {
                let error = await failure { try await task.value }
                #expect(error?.code == .closed)
            }
            let late = await failure { try await appender.append(.of(to: .fresh())) }
            #expect(late?.code == .closed)
        }
    }

    @Test func `without a server appends fail when the patience is over`() async throws {
        let appender = EventAppender(
            to: PostgresConfiguration(url: "host=/nonexistent dbname=none"),
            limits: .init(patience: .milliseconds(100)),
            encoder: PayloadEncoder(),
            logger: TestServer.silent
        )
        async let running: Void = appender.run()
        let error = await failure { try await appender.append(.of(to: .fresh())) }
        #expect(error?.code == .unavailable)
        appender.close()
        await running
    }

    @Test func `two appenders on the same streams both get on`() async throws {
        try await withStore { store, _ in
            let streams = (0..<5).map { _ in StreamID.fresh() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        try await store.withAppender { appender in
                            try await withThrowingTaskGroup(of: Void.self) { producers in
                                for _ in 0..<8 {
                                    producers.addTask {
                                        for number in 0..<25 {
                                            let two = [streams[number % 5], streams[(number + 2) % 5]]
                                            _ = try await appender.append(two.map { try .of(to: $0) })
                                        }
                                    }
                                }
                                try await producers.waitForAll()
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            for stream in streams {
                let events = try await store.read(stream)
                #expect(events.map(\.version) == Array(1...160))
                #expect(Set(events.map(\.id)).count == 160)
            }
        }
    }
}
