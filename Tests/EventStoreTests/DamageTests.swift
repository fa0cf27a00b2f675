import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// What is damaged, heavy or strange in one stream stops nobody else's.
@Suite struct DamageTests {
    @Test func `a key that is lost or does not open is a fault of the events that name it`() async throws {
        try await SealedLog.withSealedStore { store, configuration, keys in
            let sessions = try (0..<3).map { _ in try SealedLog.session(.fresh(), of: .random()) }
            _ = try await store.withAppender { try await $0.append(independently: sessions) }
            try await SealedLog.run(
                """
                alter table subject_keys disable trigger user;
                delete from subject_keys where id = (select min(id) from subject_keys);
                update subject_keys set wrapped_key = '\\x00' where id = (select max(id) from subject_keys);
                alter table subject_keys enable trigger user
                """,
                on: configuration
            )
            try await withStore(configuration, keys: keys) { store in
                var readable = 0
                for session in sessions {
                    let error = await failure { try await store.read(session.stream) }
                    if let error {
                        #expect(error.code == .corruptEvent && "\(error)".contains("key"))
                    } else {
                        readable += 1
                    }
                }
                #expect(readable == 1)
                let strict = await failure { try await store.readLog() }
                #expect(strict?.code == .corruptEvent)
                let batch = try await store.readLog(passesUnreadable: true)
                // Of each session two events are sealed.
                #expect(batch.events.count == 5 && batch.unreadable.count == 4)
                #expect(Set(batch.unreadable.map(\.stream)).count == 2)
                var iterator = store.subscribe(passesUnreadable: true).makeAsyncIterator()
                #expect(try await iterator.next()?.unreadable.map(\.position) == batch.unreadable.map(\.position))
            }
        }
    }

    @Test func `a dictionary whose content has changed is not used, neither to decode nor to encode`() async throws {
        try await withStore { store, configuration in
            let text = #"{"turnId":"t","llmResponse":"of course I can help you with that"}"#
            let append = Append(stream: .fresh(), events: [try .turn(data: text)])
            _ = try await store.withAppender { try await $0.append(append) }
            try await SealedLog.run(
                """
                alter table dictionaries drop constraint dictionaries_checksum, disable trigger user;
                update dictionaries set bytes = set_byte(bytes, 0, get_byte(bytes, 0) # 1)
                """,
                on: configuration
            )
            try await withStore(configuration) { store in
                let reading = await failure { try await store.read(append.stream) }
                #expect(reading?.code == .corruptEvent && reading?.stream == append.stream)
                #expect(reading?.description.contains("is damaged: restore the row") == true)
                let writing = await failure { try await store.encoder() }
                #expect(writing?.code == .corruptEvent && writing?.message.contains("is damaged") == true)
            }
        }
    }

    @Test func `an event with more personal values than can be sealed is an invalid append, and fails alone`()
        async throws
    {
        try await SealedLog.withSealedStore { store, _, _ in
            let members = (0...4096).map { #""userTranscript":"\#($0)""# }.joined(separator: ",")
            let heavy = Append(stream: .fresh(), events: [try SealedLog.draft(.turnTranscribed, "{\(members)}")])
            try await store.withAppender { appender in
                let alone = await failure { try await appender.append(heavy) }
                let outcomes = try await appender.append(independently: [heavy, .of(to: .fresh())])
                let first = #expect(throws: EventStoreError.self) { try outcomes[0].get() }
                #expect(throws: Never.self) { try outcomes[1].get() }
                for error in [alone, first] {
                    #expect(error?.code == .invalidAppend && error?.stream == heavy.stream)
                    #expect(error?.cause is PayloadCodecError)
                    #expect(error?.description.contains("4097 personal values; the limit is 4096") == true)
                }
            }
        }
    }

    @Test func `rotation wraps what opens, and then says what does not`() async throws {
        try await SealedLog.withSealedStore { store, configuration, keys in
            let sessions = try (0..<3).map { _ in try SealedLog.session(.fresh(), of: .random()) }
            _ = try await store.withAppender { try await $0.append(independently: sessions) }
            try await SealedLog.run(
                "update subject_keys set wrapped_key = '\\x00' where id = (select min(id) from subject_keys)",
                on: configuration
            )
            let next = LocalKeyEncryptionKey()
            try await SealedLog.withPool(configuration) { pool in
                let administration = KeyAdministration(pool, keys: SealingKeys([next] + keys.keys))
                let error = await failure { try await administration.rotate() }
                #expect(error?.code == .keyUnavailable && error?.message.contains("1 of subject_keys") == true)
                let live = try await administration.status().first { $0.encryptionKey == next.identifier }?.live
                #expect(live == 2)
            }
        }
    }

    @Test func `a batch holds what fits into memory, and the next one goes on behind it`() async throws {
        try await withStore { store, _ in
            let filling = String(repeating: "x", count: 1_000_000)
            let ids = (0..<80).map { _ in EventID.fresh() }
            let stream = StreamID.fresh()
            _ = try await store.withAppender { appender in
                try await appender.append(
                    Append(stream: stream, events: try ids.map { try .turn($0, data: #"{"filling":"\#(filling)"}"#) })
                )
            }
            #expect(try await store.read(stream).count < 40)
            for start in [LogCursor.beginning, try await store.readLog(limit: 1).cursor] {
                var cursor = start
                var versions: [Int] = []
                while case let batch = try await store.readLog(after: cursor), !batch.isEmpty {
                    #expect(batch.events.count < 40)
                    versions += batch.events.map(\.version)
                    cursor = batch.cursor
                }
                #expect(versions == Array((start == .beginning ? 1 : 2)...80))
            }
        }
    }

    @Test func `an append that waits for another's open transaction does not hold up the others`() async throws {
        try await withStore { store, configuration in
            let blocked = StreamID.fresh()
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.silent)
            try await connection.run(unsafeSQL: "begin; select append_event('\(blocked)', 'turn.started', '{}')")
            let mine = try Append.of(to: blocked)
            try await store.withAppender { appender in
                // Again and again: what waited in vain is tried apart from the others then.
                for _ in 0..<5 {
                    let appends = [mine] + (try (0..<40).map { _ in try Append.of(to: .fresh()) })
                    let outcomes = try await appender.append(independently: appends)
                    for outcome in outcomes.dropFirst() { #expect(throws: Never.self) { try outcome.get() } }
                    let error = #expect(throws: EventStoreError.self) { try outcomes[0].get() }
                    #expect(error?.code == .unavailable && error?.message.contains("another transaction") == true)
                }
                try await connection.run(unsafeSQL: "commit")
                let receipt = try await appender.append(mine)
                #expect(receipt.firstVersion == 2 && !receipt.wasStoredBefore)
            }
            await connection.close()
        }
    }

    @Test func `what is acknowledged is on disk, whatever the database's setting is`() async throws {
        try await withStore { store, configuration in
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.silent)
            let name = try await connection.text(unsafeSQL: "select current_database()")[0][0] ?? ""
            try await connection.run(unsafeSQL: "alter database \"\(name)\" set synchronous_commit = off")
            try await store.withAppender { appender in
                for _ in 0..<50 {
                    let before = try await connection.text(unsafeSQL: "select pg_current_wal_insert_lsn()")[0][0] ?? ""
                    _ = try await appender.append(.of(to: .fresh()))
                    let isFlushed = "select pg_current_wal_flush_lsn() > '\(before)'"
                    #expect(try await connection.text(unsafeSQL: isFlushed) == [["t"]])
                }
            }
            await connection.close()
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a log whose last record ends where its page does is on disk`() async throws {
        try await withStore { _, configuration in
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.silent)
            // Others write too: try until a message has filled its page, and the page is flushed.
            var isFound = false
            while !isFound {
                let written =
                    try await connection.text(
                        unsafeSQL: """
                            select pg_logical_emit_message(false, '', repeat('x', (
                                (16384 - (pg_current_wal_insert_lsn() - '0/0')::bigint % 8192 - 100)::int)));
                            do $$ begin
                                for attempt in 1..400 loop
                                    exit when (pg_current_wal_insert_lsn() - '0/0')::bigint % 8192 = 24;
                                    perform pg_logical_emit_message(false, '', repeat('x', 1 + attempt % 60));
                                end loop;
                            end $$;
                            select (pg_current_wal_insert_lsn() - '0/0')::bigint
                            """
                    ).first?[0].flatMap { Int64($0) } ?? 0
                guard written % 8192 == 24 else { continue }
                for _ in 0..<200 where !isFound {
                    let flushed =
                        try await connection.text(
                            unsafeSQL: "select (pg_current_wal_flush_lsn() - '0/0')::bigint"
                        ).first?[0].flatMap { Int64($0) } ?? 0
                    if flushed == written - 24 {
                        isFound = true
                        #expect(try await LogReader.isOnDisk(written, on: connection))
                    } else if flushed > written {
                        break
                    }
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            await connection.close()
        }
    }
}
