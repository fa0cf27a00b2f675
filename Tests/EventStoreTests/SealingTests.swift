import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// Personal fields in the log: sealed under their subject's key, readable with it, gone without it.
@Suite struct SealingTests {
    @Test func `what is personal is not in the log, and comes back byte for byte`() async throws {
        try await SealedLog.withSealedStore { store, configuration, _ in
            let append = try SealedLog.session(.fresh(), of: .random())
            _ = try await store.withAppender { try await $0.append(append) }
            let events = try await store.read(append.stream)
            #expect(events.map(\.data) == append.events.map(\.data))
            #expect(events.map(\.metadata) == append.events.map(\.metadata))
            #expect(events.allSatisfy { $0.erased.isEmpty })
            let log = try await SealedLog.text("select encode(payload, 'escape') from events", on: configuration)
            let stored = log.compactMap { $0[0] }.joined()
            #expect(!stored.contains("Ada") && !stored.contains("203.0"))
            let sealed = try await SealedLog.text(
                "select sealed_key(payload) from events order by version",
                on: configuration
            )
            #expect(sealed == [["1"], ["1"], [nil]])
        }
    }

    @Test func `a user has one key for all of their streams, a stream of nobody its own`() async throws {
        try await SealedLog.withSealedStore { store, configuration, _ in
            let (user, streams) = (StreamID.random(), (0..<20).map { _ in StreamID.fresh() })
            let nobodys = StreamID.fresh()
            try await store.withAppender { appender in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for stream in streams {
                        group.addTask { _ = try await appender.append(try SealedLog.session(stream, of: user)) }
                    }
                    group.addTask { _ = try await appender.append(try SealedLog.session(nobodys, of: nil)) }
                    try await group.waitForAll()
                }
                // Further events of these streams name nobody.
                let turn = try SealedLog.draft(.turnGenerated, #"{"turnId":"1","llmResponse":"\#(SealedLog.secret)"}"#)
                _ = try await appender.append(independently: streams.map { Append(stream: $0, events: [turn]) })
            }
            let keys = try await SealedLog.text("select subject_id from subject_keys order by id", on: configuration)
            #expect(Set(keys.map { $0[0] }) == [user.description, nobodys.description])
            let used = try await SealedLog.text(
                "select distinct sealed_key(payload) from events where sealed_key(payload) is not null",
                on: configuration
            )
            #expect(used.count == 2)
        }
    }

    @Test func `who names another user later in a stream does not change under whose key it is sealed`() async throws {
        try await SealedLog.withSealedStore { first, database, keys in
            let (ada, ben, stream) = (StreamID.random(), StreamID.random(), StreamID.fresh())
            try await first.withAppender { _ = try await $0.append(try SealedLog.session(stream, of: ada)) }
            // Another process, which knows the other user's key and has never met the stream.
            try await withStore(database, keys: keys) { second in
                try await second.withAppender { appender in
                    _ = try await appender.append(SealedLog.session(StreamID.fresh(), of: ben))
                    let start = try SealedLog.draft(.sessionStarted, #"{"userId":"\#(ben)"}"#)
                    _ = try await appender.append(Append(stream: stream, events: [start]))
                    let words = #"{"turnId":"3","userTranscript":"\#(SealedLog.secret)"}"#
                    let turn = try SealedLog.draft(.turnTranscribed, words)
                    let receipt = try await appender.append(Append(stream: stream, events: [turn]))
                    #expect(receipt.firstVersion == 5)
                }
            }
            let rows = try await SealedLog.text(
                """
                select distinct k.subject_id from events e join subject_keys k on k.id = sealed_key(e.payload)
                where e.stream_id = '\(stream)'
                """,
                on: database
            )
            #expect(rows == [[ada.description]])
        }
    }

    @Test func `who is named first counts, also while that is on its way`() async throws {
        try await SealedLog.withSealedStore { store, database, _ in
            let (ada, ben, stream) = (StreamID.random(), StreamID.random(), StreamID.fresh())
            try await store.withAppender(limits: .init(patience: .seconds(60))) { appender in
                // Ben's key is known, Ada's is not.
                _ = try await appender.append(SealedLog.session(StreamID.fresh(), of: ben))
                try await withConnection(database) { holder in
                    try await holder.run(unsafeSQL: "begin; lock table events in share mode")
                    let first = try SealedLog.draft(.sessionStarted, #"{"userId":"\#(ada)"}"#)
                    async let stored = appender.append(Append(stream: stream, events: [first]))
                    try await eventually("Ada's start waits for the lock") {
                        let waiting = "select count(*) from pg_locks where not granted"
                        return try await SealedLog.text(waiting, on: database) != [["0"]]
                    }
                    async let sealed = appender.append(SealedLog.session(stream, of: ben))
                    try await eventually("the keys of Ben's session are looked up") {
                        try await SealedLog.text("select count(*) from subject_keys", on: database) == [["2"]]
                    }
                    try await holder.run(unsafeSQL: "rollback")
                    #expect(try await (stored.firstVersion, sealed.firstVersion) == (1, 2))
                }
            }
            let rows = try await SealedLog.text(
                """
                select distinct k.subject_id from events e join subject_keys k on k.id = sealed_key(e.payload)
                where e.stream_id = '\(stream)'
                """,
                on: database
            )
            #expect(rows == [[ada.description]])
        }
    }

    @Test func `a new session of a subject that is known costs no look at the keys`() async throws {
        try await SealedLog.withSealedStore { store, configuration, _ in
            let user = StreamID.random()
            try await store.withAppender { appender in
                _ = try await appender.append(try SealedLog.session(.fresh(), of: user))
                try await SealedLog.run("alter table subject_keys rename to elsewhere", on: configuration)
                let events = try SealedLog.session(.fresh(), of: user).events
                _ = try await appender.append(Append(stream: .fresh(), expectedVersion: .noStream, events: events))
                let error = await failure { try await appender.append(try SealedLog.session(.fresh(), of: .random())) }
                #expect(error?.code == .refused)
                try await SealedLog.run("alter table elsewhere rename to subject_keys", on: configuration)
                _ = try await appender.append(try SealedLog.session(.fresh(), of: .random()))
            }
        }
    }

    @Test func `without the key, a writer is refused if something is personal, and a reader where something is sealed`()
        async throws
    {
        try await SealedLog.withSealedStore { store, configuration, _ in
            let session = try SealedLog.session(.fresh(), of: .random())
            _ = try await store.withAppender { try await $0.append(session) }
            for (round, keys) in [SealingKeys.none, SealingKeys([LocalKeyEncryptionKey()])].enumerated() {
                try await withStore(configuration, keys: keys) { store in
                    try await store.withAppender { appender in
                        let error = await failure {
                            try await appender.append(try SealedLog.session(.fresh(), of: nil))
                        }
                        #expect(error?.code == .keyUnavailable)
                        #expect(error?.message.contains("RECORDER_KEY_FILE") == true)
                        let outcomes = try await appender.append(independently: [
                            try SealedLog.session(.fresh(), of: nil), try .of(to: session.stream),
                        ])
                        #expect(throws: EventStoreError.self) { try outcomes[0].get() }
                        _ = try outcomes[1].get()
                    }
                    let error = await failure { try await store.read(session.stream) }
                    #expect(error?.code == .keyUnavailable)
                    let open = try await store.readPublicPart(of: session.stream, limit: 100)
                    #expect(open.count == 4 + round)
                    #expect(!open.contains { String(decoding: $0.data, as: UTF8.self).contains("Ada") })
                }
            }
        }
    }

    @Test func `a log that is not sealed takes and gives what it did before, with keys or without`() async throws {
        try await withTestDatabase { configuration in
            for keys in [SealingKeys.none, SealingKeys([LocalKeyEncryptionKey()])] {
                try await withStore(configuration, keys: keys) { store in
                    let append = try SealedLog.session(.fresh(), of: .random())
                    _ = try await store.withAppender { try await $0.append(append) }
                    #expect(try await store.read(append.stream).map(\.data) == append.events.map(\.data))
                }
            }
            #expect(try await SealedLog.text("select 1 from subject_keys", on: configuration) == [])
        }
    }

    @Test func `what a destroyed key sealed is erased and named, and what it would seal is dropped`() async throws {
        try await SealedLog.withSealedStore { store, configuration, _ in
            let session = try SealedLog.session(.fresh(), of: .random())
            try await store.withAppender { appender in
                _ = try await appender.append(session)
                try await SealedLog.run(SealedLog.destruction, on: configuration)
                // This appender may not know yet: what it seals, nobody opens.
                _ = try await appender.append(Append(stream: session.stream, events: [session.events[1].renamed()]))
            }
            let events = try await store.read(session.stream)
            #expect(
                events.map(\.erased) == [
                    ["metadata.ipAddress"], ["data.userTranscript"], [], ["data.userTranscript"],
                ]
            )
            #expect(
                String(decoding: events[1].data, as: UTF8.self)
                    == #"{"turnId":"1","userTranscript":null,"asrLatencyMs":12}"#
            )
        }
    }

    @Test func `a writer that knows of the erasure drops values and takes the event`() async throws {
        try await SealedLog.withSealedStore { store, configuration, keys in
            let session = try SealedLog.session(.fresh(), of: .random())
            _ = try await store.withAppender { try await $0.append(session) }
            try await SealedLog.run(SealedLog.destruction, on: configuration)
            try await withStore(configuration, keys: keys) { fresh in
                let turn = session.events[1].renamed()
                _ = try await fresh.withAppender { try await $0.append(Append(stream: session.stream, events: [turn])) }
                let last = try #require(try await fresh.read(session.stream).last)
                #expect(last.erased == ["data.userTranscript"])
            }
            let sizes = try await SealedLog.text(
                "select octet_length(payload) from events where version in (2, 4) order by version",
                on: configuration
            ).compactMap { $0[0].flatMap { Int($0) } }
            #expect(sizes.count == 2 && sizes[1] + SubjectKey.overhead <= sizes[0])
        }
    }

    @Test func `a section that was moved to another event is corrupt`() async throws {
        try await SealedLog.withSealedStore { store, configuration, _ in
            let session = try SealedLog.session(.fresh(), of: .random())
            let again = Append(stream: session.stream, events: [session.events[1].renamed()])
            try await store.withAppender { appender in
                _ = try await appender.append(session)
                _ = try await appender.append(again)
            }
            try await SealedLog.run(
                """
                set session_replication_role = replica; alter table events disable trigger refuse_change;
                update events e set payload = (select payload from events where version = 2) where version = 4
                """,
                on: configuration
            )
            let error = await failure { try await store.read(session.stream) }
            #expect(error?.code == .corruptEvent)
            #expect(error?.description.contains("belongs to another event") == true)
        }
    }

    @Test func `a store that remembers a key forgets it soon after it was destroyed`() async throws {
        try await SealedLog.withSealedStore { store, configuration, _ in
            let session = try SealedLog.session(.fresh(), of: .random())
            _ = try await store.withAppender { try await $0.append(session) }
            #expect(try await store.read(session.stream).allSatisfy(\.erased.isEmpty))
            try await SealedLog.run(SealedLog.destruction, on: configuration)
            try await eventually("what was sealed is not shown", within: .seconds(60)) {
                try await !store.read(session.stream).allSatisfy(\.erased.isEmpty)
            }
        }
    }

    @Test func `SQL clients cannot store personal values in a sealed log`() async throws {
        try await SealedLog.withSealedStore { _, configuration, _ in
            let stream = StreamID.fresh()
            for (type, data, metadata, field) in [
                ("turn.transcribed", #"{"userTranscript":"x"}"#, "{}", "data.userTranscript"),
                ("anything.happened", "{}", #"{"ipAddress":"::1"}"#, "metadata.ipAddress"),
                ("user.updated", #"{"email":"a@b"}"#, "{}", "data.email"),
            ] {
                let statement = "select append_event('\(stream)', '\(type)', '\(data)', '\(metadata)')"
                let error = await #expect(throws: PostgresError.self) {
                    try await SealedLog.run(statement, on: configuration)
                }
                #expect(error?.sqlState == "RC002")
                #expect(error?.message.contains(field) == true)
            }
            try await SealedLog.run(
                """
                select append_event('\(stream)', 'turn.transcribed', '{"userTranscript":null,"asrLatencyMs":1}');
                select append_event('\(stream)', 'turn.started', '{"userTranscript":"x"}', '{"actor":"y"}')
                """,
                on: configuration
            )
        }
    }
}
