import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// Groups that were decided while the server was storing the ones before.
@Suite(.timeLimit(.minutes(5))) struct LookAheadTests {
    private static let waiting = """
        from pg_locks where not granted
        and database = (select oid from pg_database where datname = current_database())
        """

    /// How the group ends that the server is storing.
    enum Ending: CaseIterable {
        case stored, timedOut, lost
    }

    @Test(arguments: Ending.allCases, [1, 2])
    func `each is stored once, in order, however the one before it ends`(ending: Ending, connections: Int) async throws
    {
        // Of one lane, so that they are handed over as one parcel.
        let streams = (0..<100).map { _ in StreamID.fresh() }
            .filter { AppendLane.number(of: $0, among: connections) == 0 }.prefix(10)
        let ids = (0..<3).map { _ in streams.map { _ in EventID.fresh() } }
        try await withStore { store, configuration in
            try await withConnection(configuration) { other in
                try await store.withAppender(limits: .init(connections: connections)) { appender in
                    /// Hands over an event for each of the first streams.
                    func handOver(_ round: Int, to count: Int) async throws -> AppendOutcomes {
                        let appends = try zip(streams, ids[round]).prefix(count).map { try Append.of([$1], to: $0) }
                        let outcomes = try await appender.handOver(appends: appends)
                        try await eventually("group \(round) was taken") { appender.queue.queuedParcels == 0 }
                        return outcomes
                    }
                    #expect(try await versions(handOver(0, to: 10)) == Array(repeating: 1, count: 10))
                    try await other.run(unsafeSQL: "begin; lock table events in access exclusive mode")
                    let stored = try await handOver(1, to: 5)
                    try await eventually("it waits for the lock") { try await isWaiting(other) }
                    let ahead = try await handOver(2, to: 10)
                    switch ending {
                    case .stored: break
                    case .timedOut: try await eventually("its wait has ended") { try await !isWaiting(other) }
                    case .lost: try await other.run(unsafeSQL: "select pg_terminate_backend(pid) \(Self.waiting)")
                    }
                    try await other.run(unsafeSQL: "commit")
                    #expect(try await versions(stored) == Array(repeating: 2, count: 5))
                    #expect(try await versions(ahead) == Array(repeating: 3, count: 5) + Array(repeating: 2, count: 5))
                }
            }
            for (index, stream) in streams.enumerated() {
                let rounds = index < 5 ? [0, 1, 2] : [0, 2]
                #expect(try await store.read(stream).map(\.id) == rounds.map { ids[$0][index] })
            }
        }
    }

    private func isWaiting(_ connection: PostgresConnection) async throws -> Bool {
        try await connection.text(unsafeSQL: "select pid \(Self.waiting)").count > 0
    }

    @Test func `the next group waits for all parts of one that is stored in parts`() async throws {
        let streams = (0..<10).map { _ in StreamID.fresh() }.sorted { $0.uuid.precedes($1.uuid) }
        let ids = (0..<3).map { _ in streams.map { _ in EventID.fresh() } }
        try await withStore { store, configuration in
            try await withConnection(configuration) { other in
                try await store.withAppender(limits: .init(connections: 1)) { appender in
                    func handOver(_ round: Int) async throws -> AppendOutcomes {
                        try await appender.handOver(
                            appends: zip(streams, ids[round]).map { try Append.of([$1], to: $0) }
                        )
                    }
                    for result in try await handOver(0).all() { _ = try result.get() }
                    // The last stream's next version is taken, as long as the transaction is open. Behind its row and
                    // the ten of the whole group, rows wait until they are released.
                    try await other.run(
                        unsafeSQL: """
                            create sequence tried;
                            create sequence released;
                            create function hinder() returns trigger language plpgsql as $$ begin
                                if new.version = 2 and nextval('tried') > 11 then
                                    while not (select is_called from released) loop
                                        perform pg_sleep(0.01);
                                    end loop;
                                end if;
                                return new;
                            end $$;
                            create trigger hinder before insert on events for each row execute function hinder()
                            """
                    )
                    try await other.run(
                        unsafeSQL: "begin; select append_event('\(streams[9])', 'turn.started', '{}')"
                    )
                    let parts = try await handOver(1)
                    try await eventually("the first part is being stored", within: .seconds(60)) {
                        try await other.text(unsafeSQL: "select from tried where last_value > 11").count > 0
                    }
                    let next = try await handOver(2)
                    try await other.run(unsafeSQL: "select nextval('released')")
                    for (outcomes, version) in [(parts, 2), (next, 3)] {
                        let results = await outcomes.all()
                        #expect(
                            try results.prefix(9).map { try $0.get().firstVersion }
                                == Array(repeating: version, count: 9)
                        )
                        #expect(failureCode(of: results[9]) == .unavailable)
                    }
                    try await other.run(unsafeSQL: "rollback")
                }
            }
            for (index, stream) in streams.enumerated() {
                let rounds = index == 9 ? [0] : [0, 1, 2]
                #expect(try await store.read(stream).map(\.id) == rounds.map { ids[$0][index] })
            }
        }
    }

    @Test func `everybody is told when the appender is cancelled meanwhile`() async throws {
        try await withStore { _, configuration in
            try await withConnection(configuration) { other in
                let appender = EventAppender(
                    to: configuration,
                    limits: .init(connections: 1),
                    encoder: PayloadEncoder(),
                    logger: TestServer.silent
                )
                let running = Task { await appender.run() }
                let streams = (0..<10).map { _ in StreamID.fresh() }
                func handOver() async throws -> AppendOutcomes {
                    let outcomes = try await appender.handOver(
                        appends: streams.map { try Append.of(to: $0) }
                    )
                    try await eventually("a group was taken") { appender.queue.queuedParcels == 0 }
                    return outcomes
                }
                for result in try await handOver().all() { _ = try result.get() }
                try await other.run(unsafeSQL: "begin; lock table events in access exclusive mode")
                let stored = try await handOver()
                try await eventually("it waits for the lock") { try await isWaiting(other) }
                let ahead = try await handOver()
                running.cancel()
                await running.value
                for outcomes in [stored, ahead] {
                    let codes = await outcomes.all().map(failureCode)
                    #expect(codes == Array(repeating: .unavailable, count: 10))
                }
                try await other.run(unsafeSQL: "rollback")
            }
        }
    }

    private func failureCode(of result: Result<AppendReceipt, any Error>) -> EventStoreError.Code? {
        if case .failure(let error as EventStoreError) = result { error.code } else { nil }
    }

    private func versions(_ outcomes: AppendOutcomes) async throws -> [Int] {
        try await outcomes.all().map { try $0.get().firstVersion }
    }
}
