import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// What becomes of appends that were packed with what the next server lacks, as after a failover to a standby that was
/// behind.
@Suite(.timeLimit(.minutes(5))) struct FailoverTests {
    /// What became of the row that an append was packed with.
    enum Loss: CaseIterable {
        case gone
        /// Another row has its id.
        case other
        /// Only the connections are lost.
        case nothing
    }

    /// Loses rows as such a failover does, and all connections.
    private func fail(_ sql: String, _ configuration: PostgresConfiguration) async throws {
        try await SealedLog.run(
            """
            begin;
            set local session_replication_role = replica;
            do $$ declare part regclass; begin
                for part in select relid from pg_partition_tree('events')
                    union all values ('dictionaries'::regclass), ('subject_keys'), ('stream_subjects') loop
                    execute format('alter table %s disable trigger user', part);
                end loop;
            end $$;
            \(sql);
            commit;
            select pg_terminate_backend(pid, 10000) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
            """,
            on: configuration
        )
    }

    private static let dictionary = #"{"turnId":"0123456789","text":"words that every event of this test has"}"#

    private func addDictionary(_ content: String = dictionary) -> String {
        "insert into dictionaries (id, bytes, checksum, trained_on) "
            + "select 300, b, sha256(b), 'a test' from convert_to('\(content)', 'UTF8') b"
    }

    private func turn(to stream: StreamID) throws -> Append {
        Append(stream: stream, events: [try .turn(data: Self.dictionary)])
    }

    /// Appends, and again if that is to be done.
    ///
    /// - Returns: Whether it was to be done.
    private func append(_ append: Append, by appender: EventAppender) async throws -> Bool {
        do {
            _ = try await appender.append(append)
            return false
        } catch let error as EventStoreError where error.code == .unavailable {
            #expect(error.message.contains("lacks the dictionary or the key"))
            _ = try await appender.append(append)
            return true
        }
    }

    @Test(arguments: Loss.allCases)
    func `an append that was compressed with a lost dictionary is not acknowledged`(_ loss: Loss) async throws {
        try await withStore { store, configuration in
            try await SealedLog.run(addDictionary(), on: configuration)
            let stream = StreamID.fresh()
            try await store.withAppender { appender in
                #expect(try await append(turn(to: stream), by: appender) == false)
                let used = try await SealedLog.text("select encoding::text from events", on: configuration)
                #expect(used == [["300"]])
                let remove = "truncate events; delete from dictionaries where id = 300"
                switch loss {
                case .gone: try await fail(remove, configuration)
                case .other:
                    try await fail("\(remove); \(addDictionary(String(repeating: "x", count: 99)))", configuration)
                case .nothing: try await fail("select", configuration)
                }
                #expect(try await append(turn(to: stream), by: appender) == (loss != .nothing))
                #expect(try await append(turn(to: stream), by: appender) == false)
            }
            // One that knows no dictionary yet.
            try await withStore(configuration) { store in
                let versions = try await store.read(stream).map(\.version)
                #expect(versions == (loss == .nothing ? [1, 2, 3] : [1, 2]))
            }
        }
    }

    @Test(arguments: Loss.allCases)
    func `an append that was sealed under a lost key is not acknowledged`(_ loss: Loss) async throws {
        try await SealedLog.withSealedStore { store, configuration, keys in
            let session = try SealedLog.session(.fresh(), of: .random())
            let next = try SealedLog.draft(.turnTranscribed, #"{"turnId":"1","userTranscript":"\#(SealedLog.secret)"}"#)
            try await store.withAppender { appender in
                _ = try await appender.append(session)
                let remove = "truncate events, stream_subjects; delete from subject_keys"
                switch loss {
                case .gone: try await fail(remove, configuration)
                case .other: try await fail("\(remove); \(try await addKey(like: keys))", configuration)
                case .nothing: try await fail("select", configuration)
                }
                // One that holds nothing personal needs no key.
                let plain = Append(stream: .fresh(), events: [try .turn()])
                let again = try await append(Append(stream: session.stream, events: [next]), by: appender)
                #expect(again == (loss != .nothing))
                #expect(try await append(plain, by: appender) == false)
            }
            try await withStore(configuration, keys: keys) { store in
                let read = try await store.read(session.stream)
                #expect(read.last?.id == next.id)
                #expect(read.last?.erased == [])
                #expect(read.last.map { String(decoding: $0.data, as: UTF8.self).contains(SealedLog.secret) } == true)
            }
        }
    }

    @Test func `what follows in the same stream is repeated too, and other appends are stored at once`() async throws {
        try await withStore { store, configuration in
            try await SealedLog.run(addDictionary(), on: configuration)
            let streams = (0..<2).map { _ in StreamID.fresh() }
            try await store.withAppender(limits: .init(connections: 1)) { appender in
                _ = try await appender.append(turn(to: .fresh()))
                try await fail("truncate events; delete from dictionaries where id = 300", configuration)
                // Only the first is long enough to be compressed.
                let appends = [
                    try turn(to: streams[0]), Append(stream: streams[0], events: [try .turn(data: "{}")]),
                    Append(stream: streams[1], events: [try .turn(data: "{}")]),
                ]
                let results = try await appender.append(independently: appends)
                let codes = results.map { result -> EventStoreError.Code? in
                    if case .failure(let error as EventStoreError) = result { error.code } else { nil }
                }
                #expect(codes == [.unavailable, .unavailable, nil])
                for result in try await appender.append(independently: appends) { _ = try result.get() }
                let ids = appends.map { $0.events[0].id }
                let first = try await store.read(streams[0]).map(\.id)
                let second = try await store.read(streams[1]).map(\.id)
                #expect(first == Array(ids[..<2]))
                #expect(second == [ids[2]])
            }
        }
    }

    /// The statement that gives the id of every key there to somebody else's.
    private func addKey(like keys: SealingKeys) async throws -> String {
        let (subject, wrapping) = (StreamID.random(), try #require(keys.keys.first))
        let wrapped = try await wrapping.wrap([(subject.uuid.bytes, SubjectKey())])
        let hex = wrapped[0].map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
        return """
            insert into subject_keys (id, subject_id, wrapped_key, kek_id) overriding system value
            values (1, '\(subject)', '\\x\(hex)', '\(wrapping.identifier)')
            """
    }

    @Test func `keys that were looked up before the first connection are checked too`() async throws {
        try await SealedLog.withSealedStore { _, configuration, keys in
            try await SealedLog.withPool(configuration) { pool in
                let appender = EventAppender(
                    to: configuration,
                    encoder: PayloadEncoder(),
                    sealer: SubjectSealer(pool, keys: keys),
                    logger: TestServer.silent
                )
                let user = StreamID.random()
                let session = try SealedLog.session(.fresh(), of: user)
                async let first = failure { try await appender.append(session) }
                try await eventually("it is packed") { appender.queue.queuedParcels == 1 }
                try await fail("delete from subject_keys", configuration)
                async let running: Void = appender.run()
                #expect(await first?.code == .unavailable)
                // Nor is the user's key remembered, which a new session would get without asking.
                let events = try SealedLog.session(.fresh(), of: user).events
                let second = Append(stream: .fresh(), expectedVersion: .noStream, events: events)
                for append in [second, session] { _ = try await appender.append(append) }
                appender.close()
                await running
                try await withStore(configuration, keys: keys) { store in
                    for stream in [session.stream, second.stream] {
                        let erased = try await store.read(stream).map(\.erased)
                        #expect(erased == [[], [], []])
                    }
                }
            }
        }
    }

    @Test func `a writer that connects for the first time notices that the server was replaced`() async throws {
        try await withCrashingServer { configuration, crash in
            try await withStore(configuration) { store in
                try await SealedLog.run(addDictionary(), on: configuration)
                func stream(in lane: Int) -> StreamID {
                    while true {
                        let stream = StreamID.fresh()
                        if AppendLane.number(of: stream, among: 2) == lane { return stream }
                    }
                }
                let streams = (0..<2).map(stream)
                try await store.withAppender(limits: .init(connections: 2)) { appender in
                    #expect(try await append(turn(to: streams[0]), by: appender) == false)
                    try await fail("truncate events; delete from dictionaries where id = 300", configuration)
                    try await crash()
                    #expect(try await append(turn(to: streams[1]), by: appender) == true)
                    #expect(try await append(turn(to: streams[0]), by: appender) == false)
                }
                try await withStore(configuration) { store in
                    for stream in streams {
                        let versions = try await store.read(stream).map(\.version)
                        #expect(versions == [1])
                    }
                }
            }
        }
    }
}
