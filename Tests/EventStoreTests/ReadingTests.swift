import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

@Suite struct ReadingTests {
    @Test func `whoever reads from the beginning waits for nobody who works on a partition`() async throws {
        try await withStore { store, configuration in
            let stream = StreamID.fresh()
            try await store.withAppender { _ = try await $0.append(.of(to: stream)) }
            try await withConnection(configuration) { other in
                // As VACUUM does.
                try await other.run(unsafeSQL: "begin; lock table events in share update exclusive mode")
                try await withConnection(configuration) { connection in
                    try await connection.run(unsafeSQL: "set lock_timeout = '10s'")
                    #expect(try await connection.first(SummarizeLog()) == 0)
                }
                #expect(try await store.readLog().events.map(\.stream) == [stream])
                try await other.run(unsafeSQL: "rollback")
            }
        }
    }

    @Test func `positions without events are walked however many there are`() async throws {
        try await withStore { store, configuration in
            let streams = [StreamID.fresh(), .fresh(), .fresh()]
            try await store.withAppender { appender in
                for stream in streams[..<2] { _ = try await appender.append(.of(to: stream)) }
            }
            try await withConnection(configuration) { connection in
                try await connection.run(unsafeSQL: "select setval('events_position', 100 * \(WindowWalk.longestSpan))")
            }
            try await store.withAppender { _ = try await $0.append(.of(to: streams[2])) }
            var cursor = LogCursor.beginning
            var found: [StreamID] = []
            for _ in streams {
                let batch = try await store.readLog(after: cursor, limit: 1)
                found += batch.events.map(\.stream)
                cursor = batch.cursor
            }
            #expect(found == streams)
        }
    }

    @Test func `who reads up to the middle of a window reads no further`() async throws {
        try await withStore { store, configuration in
            let stream = StreamID.fresh()
            try await store.withAppender { appender in
                for _ in 0..<3 { _ = try await appender.append(.of(to: stream)) }
            }
            var start = LogCursor.beginning
            while try await store.readLog(after: start).events.count > 0 {
                start = try await store.readLog(after: start).cursor
            }
            try await store.withAppender { appender in
                for _ in 0..<10 { _ = try await appender.append(.of(to: stream)) }
            }
            let from = start
            try await withConnection(configuration) { connection in
                try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
                    let middle = try await LogReader.read(on: connection, after: from, limit: 4).cursor
                    #expect(middle.window != nil)
                    let batch = try await LogReader.read(
                        on: connection,
                        after: from,
                        until: middle,
                        limit: 100,
                        part: LogPart(shards: nil, types: nil)
                    )
                    #expect(batch.events.map(\.version) == [4, 5, 6, 7])
                    #expect(batch.cursor == middle)
                }
            }
        }
    }

    @Test func `a stream is read both ways, from any version, with bounds`() async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            let ids = (0..<10).map { _ in EventID.fresh() }
            _ = try await store.withAppender { appender in
                try await appender.append([.of(ids, to: stream), .of(to: .fresh())])
            }
            func versions(
                _ from: Int?,
                _ direction: PostgresEventStore.Direction,
                _ limit: Int = 1000
            ) async throws -> [Int] {
                try await store.read(stream, from: from, direction, limit: limit).map(\.version)
            }
            #expect(try await versions(nil, .forwards) == Array(1...10))
            #expect(try await versions(nil, .backwards) == (1...10).reversed())
            #expect(try await versions(4, .forwards, 3) == [4, 5, 6])
            #expect(try await versions(4, .backwards, 3) == [4, 3, 2])
            #expect(try await versions(4, .backwards) == [4, 3, 2, 1])
            #expect(try await versions(10, .forwards) == [10])
            #expect(try await versions(11, .forwards) == [])
            #expect(try await versions(0, .backwards) == [])
            #expect(try await versions(-5, .forwards, 1) == [1])
            #expect(try await versions(.max, .backwards, 1) == [10])
            #expect(try await versions(nil, .forwards, 0) == [1])
            #expect(try await store.read(.fresh()).isEmpty)
        }
    }

    @Test(arguments: [1, 7, 100, 1000])
    func `the log is read in pages, each event once, and ends`(page: Int) async throws {
        try await withStore { store, _ in
            var last = LogCursor.beginning
            #expect(try await store.readLog().events.isEmpty)
            for round in 0..<2 {
                let streams = (0..<10).map { _ in StreamID.fresh() }
                try await store.withAppender { appender in
                    for number in 0..<50 {
                        _ = try await appender.append(.of([.numbered(number)], to: streams[number % 10]))
                    }
                }
                var seen: [RecordedEvent] = []
                while true {
                    let batch = try await store.readLog(after: last, limit: page)
                    #expect(batch.events.count <= page)
                    last = try #require(LogCursor(batch.cursor.description))
                    if batch.events.isEmpty { break }
                    seen += batch.events
                    try #require(seen.count <= 50, "a page came again")
                }
                #expect(seen.count == 50, "round \(round)")
                #expect(Set(seen.map(\.position)).count == 50)
                for stream in streams { #expect(seen.filter { $0.stream == stream }.map(\.version) == Array(1...5)) }
            }
            #expect(try await store.readLog(after: store.head()).events.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: [3, 1000])
    func `a subscription catches up and goes on live, without a gap or a double`(batchSize: Int) async throws {
        try await withStore { store, _ in
            let stream = StreamID.fresh()
            try await store.withAppender { appender in
                for _ in 0..<20 { _ = try await appender.append(.of(to: stream)) }
                // Polled only once a minute: what comes live was announced.
                let subscription = store.subscribe(batchSize: batchSize, pollInterval: .seconds(60))
                var versions: [Int] = []
                async let writing: Void = {
                    for _ in 0..<80 { _ = try await appender.append(.of(to: stream)) }
                }()
                for try await batch in subscription {
                    #expect(batch.events.count <= batchSize)
                    versions += batch.events.map(\.version)
                    if versions.count >= 100 { break }
                }
                try await writing
                #expect(versions == Array(1...100))
                let tail = store.subscribe(after: try await store.head(), pollInterval: .seconds(60))
                var iterator = tail.makeAsyncIterator()
                async let last = appender.append(.of(to: stream))
                #expect(try await iterator.next()?.events.map(\.version) == [101])
                _ = try await last
            }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `a subscription finds by itself what nobody announced`() async throws {
        try await withStore { store, configuration in
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            var iterator = store.subscribe(pollInterval: .milliseconds(20)).makeAsyncIterator()
            let stream = StreamID.fresh()
            for version in 1...3 {
                async let next = connection.run(unsafeSQL: "select append_event('\(stream)', 'turn.started', '{}')")
                #expect(try await iterator.next()?.events.map(\.version) == [version])
                try await next
            }
            await connection.close()
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `an event that cannot be decoded stops its reader and is not skipped`() async throws {
        try await withStore { store, configuration in
            let stream = StreamID.fresh()
            _ = try await store.withAppender { try await $0.append(.of(to: stream)) }
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            try await connection.run(
                unsafeSQL: """
                    insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload)
                    select now(), 2, type, 0, stream_id, gen_random_uuid(), '\\xff' from events
                    """
            )
            await connection.close()
            var iterator = store.subscribe(batchSize: 1).makeAsyncIterator()
            #expect(try await iterator.next()?.events.map(\.version) == [1])
            for _ in 0..<3 {
                do {
                    let batch = try await iterator.next()
                    Issue.record("delivered \(batch?.events.count ?? 0) events")
                } catch let error as EventStoreError {
                    #expect(error.code == .corruptEvent)
                    #expect(error.stream == stream)
                    #expect(error.message.contains("version 2 of stream \(stream)"))
                }
            }
            let error = await failure { try await store.read(stream) }
            #expect(error?.code == .corruptEvent)
        }
    }

    @Test func `a log from another cluster is refused`() async throws {
        try await withStore { store, configuration in
            _ = try await store.withAppender { try await $0.append(.of(to: .fresh())) }
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            try await connection.run(
                unsafeSQL: """
                    insert into events (transaction_id, occurred_at, version, type, encoding, stream_id, event_id, payload)
                    select '900000000000', now(), 2, type, 0, stream_id, gen_random_uuid(), payload from events
                    """
            )
            await connection.close()
            var iterator = store.subscribe().makeAsyncIterator()
            do {
                _ = try await iterator.next()
                Issue.record("the subscription began")
            } catch let error as EventStoreError {
                #expect(error.code == .restoredLog)
            }
        }
    }

    @Test(
        arguments: [
            "update events set version = version + 1", "delete from events", "truncate events",
            "truncate events_default", "update event_types set name = 'x.y'", "delete from event_types",
            "update only events_default set payload = ''", "delete from events_default", "truncate events, event_types",
        ]
    )
    func `what is recorded cannot be changed, not even by a superuser`(change: String) async throws {
        try await withStore { store, configuration in
            let stream = StreamID.random()
            _ = try await store.withAppender { try await $0.append([.of(to: stream), .of(to: .fresh())]) }
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            for role in ["replica", "origin"] {
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.run(unsafeSQL: "set session_replication_role = \(role); \(change)")
                }
                #expect(error?.sqlState == "RC003" || error?.sqlState == "0A000")
                #expect(
                    error?.sqlState == "0A000" || error?.hint?.contains("`recorder subject erase` destroys") == true
                )
            }
            await connection.close()
            #expect(try await store.readLog().events.count == 2)
        }
    }
}
