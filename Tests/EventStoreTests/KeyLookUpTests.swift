import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// Looks for keys, which many producers share: one of them who has trouble, or gives up, does not affect the others.
@Suite(.timeLimit(.minutes(5))) struct KeyLookUpTests {
    /// Runs a test with a sealed log, and a sealer that remembers nothing of it.
    private func withSealer(
        _ body: (SubjectSealer, PostgresEventStore, PostgresConfiguration) async throws -> Void
    ) async throws {
        try await SealedLog.withSealedStore { store, configuration, keys in
            var bounded = configuration
            bounded.answerTimeout = .seconds(30)
            try await SealedLog.withPool(bounded) { pool in
                let server = ServerPatience(logger: TestServer.silent)
                let sealer = SubjectSealer(pool, keys: keys, patience: .zero, server: server)
                try await body(sealer, store, configuration)
            }
        }
    }

    /// Makes looks wait by a transaction that has the table of keys locked, while `body` runs.
    private func whileLocked(
        _ configuration: PostgresConfiguration,
        _ sql: String = "lock table subject_keys",
        _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        try await withConnection(configuration) { holder in
            try await holder.run(unsafeSQL: "begin; \(sql)")
            try await body(holder)
        }
    }

    private func eventuallyWaits(_ configuration: PostgresConfiguration) async throws {
        let waiting = """
            select count(*) from pg_locks join pg_database d on d.oid = database
            where not granted and datname = current_database()
            """
        try await eventually("a look waits for the lock") {
            try await SealedLog.text(waiting, on: configuration) != [["0"]]
        }
    }

    @Test func `a key that does not open fails nobody whose key is looked for at the same time`() async throws {
        try await withSealer { sealer, store, configuration in
            let (ill, well) = (try SealedLog.session(.fresh(), of: .random()), StreamID.fresh())
            _ = try await store.withAppender { try await $0.append(ill) }
            try await SealedLog.run("update subject_keys set wrapped_key = '\\x00'", on: configuration)
            try await whileLocked(configuration) { holder in
                async let first = sealer.lookUp([.fresh(): nil])
                try await eventuallyWaits(configuration)
                // These are looked for together, when the first look ends.
                async let ills = sealer.lookUp([ill.stream: nil])
                async let wells = sealer.lookUp([well: .random()])
                async let nobodys = sealer.lookUp([:])
                try await eventually("all wait") { sealer.waiters == 4 }
                try await holder.run(unsafeSQL: "rollback")
                _ = try await (first, nobodys)
                let found = try await (ill: ills.keys[ill.stream], well: wells.keys[well])
                let error = #expect(throws: EventStoreError.self) { try found.ill?.get() }
                #expect(error?.code == .keyUnavailable)
                #expect(try found.well?.get().key != nil)
            }
            let again = await failure { try await sealer.keys(for: [ill]) }
            #expect(again?.code == .keyUnavailable && again?.message.contains("do not open") == true)
        }
    }

    @Test func `a look that fails is made for each alone who waits for it`() async throws {
        try await withSealer { sealer, _, configuration in
            try await whileLocked(configuration, "alter table subject_keys rename to elsewhere") { holder in
                async let first = failure { try await sealer.lookUp([.fresh(): nil]) }
                try await eventuallyWaits(configuration)
                async let second = failure { try await sealer.lookUp([.fresh(): nil]) }
                async let nobodys = sealer.lookUp([:])
                try await eventually("all wait") { sealer.waiters == 3 }
                try await holder.run(unsafeSQL: "commit")
                #expect(await first?.code == .refused)
                #expect(await second?.code == .refused)
                #expect(try await nobodys.keys.isEmpty)
            }
        }
    }

    @Test func `of a batch, only appends whose keys cannot be looked up are refused`() async throws {
        try await SealedLog.withSealedStore { store, configuration, _ in
            let known = try SealedLog.session(.fresh(), of: .random())
            try await store.withAppender { appender in
                _ = try await appender.append(known)
                try await SealedLog.run("alter table subject_keys rename to elsewhere", on: configuration)
                let turn = known.events[1].renamed()
                let outcomes = try await appender.append(independently: [
                    SealedLog.session(.fresh(), of: .random()), .of(to: .fresh()),
                    Append(stream: known.stream, events: [turn]), SealedLog.session(.fresh(), of: nil),
                ])
                let codes = outcomes.map { outcome -> EventStoreError.Code? in
                    if case .failure(let error as EventStoreError) = outcome { error.code } else { nil }
                }
                #expect(codes == [.refused, nil, nil, .refused])
            }
        }
    }

    @Test func `whoever is cancelled waits no longer for a key, and what they named is forgotten`() async throws {
        try await withSealer { sealer, _, configuration in
            let (ada, ben, stream) = (StreamID.random(), StreamID.random(), StreamID.fresh())
            try await whileLocked(configuration) { holder in
                let first = Task { try await sealer.keys(for: [try SealedLog.session(stream, of: ada)]) }
                try await eventuallyWaits(configuration)
                let next = Task { try await sealer.keys(for: [try SealedLog.session(.fresh(), of: ada)]) }
                try await eventually("both wait") { sealer.waiters == 2 }
                // One whose look is under way, and one who waits for the next.
                for task in [first, next] {
                    task.cancel()
                    await #expect(throws: CancellationError.self) { _ = try await task.value }
                }
                #expect(sealer.waiters == 0)
                try await holder.run(unsafeSQL: "rollback")
            }
            let keys = try await sealer.keys(for: [try SealedLog.session(stream, of: ben)])
            let id = try #require(try keys?.key(at: 0)?.id)
            let subject = "select subject_id from subject_keys where id = \(id)"
            #expect(try await SealedLog.text(subject, on: configuration) == [[ben.description]])
        }
    }
}
