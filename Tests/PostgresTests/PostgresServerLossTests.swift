import Operations
import Postgres
import RecorderTesting
import Testing

/// The server goes away at the worst moments.
@Suite struct PostgresServerLossTests {
    /// What a session does when its server goes away, and the event by which the server shows that it does it.
    ///
    /// None stores a number that another stores, or it would wait for it.
    enum Activity: String, CaseIterable, Sendable {
        case query, pipeline, transaction, copyIn, copyOut, lock

        var event: String {
            switch self {
            case .query, .pipeline, .transaction: "PgSleep"
            case .copyIn: "ClientRead"
            case .copyOut: "ClientWrite"
            case .lock: "advisory"
            }
        }

        func run(on session: PostgresConnection, until gate: Gate) async throws {
            switch self {
            case .query: try await session.execute(Command("select pg_sleep(600)"))
            case .pipeline:
                try await session.pipeline([InsertNumber(1), Command("select pg_sleep(600)"), InsertNumber(2)])
            case .transaction:
                try await session.transaction(retries: 3) { session in
                    try await session.execute(InsertNumber(3))
                    _ = try await session.execute(Command("select pg_sleep(600)"))
                }
            case .lock: try await session.execute(Command("select pg_advisory_lock(1)"))
            case .copyIn:
                try await session.copyIn(unsafeSQL: "numbers (n)") { writer in
                    var number = 1_000
                    while true {
                        try writer.row(number)
                        number += 1
                    }
                }
            case .copyOut:
                try await session.copyOut(unsafeSQL: "(select generate_series(1, 2000000000))") { _ in gate.open() }
            }
        }
    }

    private func waitUntil(_ activity: Activity, of pid: Int32, seenBy observer: PostgresConnection, gate: Gate)
        async throws
    {
        switch activity {
        case .copyOut: await gate.pass()
        case .copyIn:
            try await eventually("rows come in") {
                try await observer.first(
                    Column<Bool>(
                        "select exists (select from pg_stat_progress_copy where pid = \(pid) and tuples_processed > 1000)"
                    )
                ) == true
            }
        default: try await observer.waitUntil(session: pid, waitsFor: activity.event)
        }
    }

    @Test(arguments: Activity.allCases)
    func `a session that an administrator ends loses its connection, and nothing wedges`(
        activity: Activity
    ) async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { observer in
                try await observer.run(unsafeSQL: "select pg_advisory_lock(1)")
                let session = try await PostgresConnection.connect(configuration, logger: silent)
                let pid = try await session.backendPID()
                let gate = Gate()
                let task = Task { try await activity.run(on: session, until: gate) }
                try await waitUntil(activity, of: pid, seenBy: observer, gate: gate)
                try await observer.terminate(pid)
                let error = try await postgresError { try await task.value }
                #expect(error.code == .connectionLost)
                #expect(error.isRetryable)
                if [.query, .pipeline, .transaction, .lock].contains(activity) { #expect(error.sqlState == "57P01") }
                #expect(!session.isOpen)
                let after = try await postgresError { try await session.first(Echo(1)) }
                #expect(after.code == .closed)
                try await #expect(observer.numbers() == [])
            }
        }
    }

    @Test func `an idle session that was ended finds out at the next statement`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { observer in
                let session = try await PostgresConnection.connect(configuration, logger: silent)
                try await observer.terminate(session.backendPID())
                #expect(!session.looksAlive)
                let error = try await postgresError { try await session.execute(InsertNumber(1)) }
                #expect(error.code == .connectionLost)
                #expect(!session.isOpen)
            }
        }
    }

    @Test func `everybody learns when the server crashes, and the pool works again after its restart`() async throws {
        try await withTestServer { server in
            let configuration = PostgresConfiguration(url: server.url(), connectTimeout: .seconds(300))
            try await withSession(configuration) { session in
                try await session.run(
                    unsafeSQL: "create table numbers (n bigint primary key); insert into numbers values (-1)"
                )
            }
            let pool = PostgresPool(
                configuration,
                limits: PostgresPool.Limits(size: Activity.allCases.count, acquireTimeout: .seconds(60)),
                logger: silent
            )
            try await withSession(configuration, logger: silent) { observer in
                try await observer.run(unsafeSQL: "select pg_advisory_lock(1)")
                var tasks: [(Activity, Task<Void, any Error>)] = []
                for activity in Activity.allCases {
                    let gate = Gate()
                    let pids = AsyncStream<Int32>.makeStream()
                    let task = Task {
                        try await pool.withConnection { session in
                            pids.continuation.yield(try await session.backendPID())
                            try await activity.run(on: session, until: gate)
                        }
                    }
                    tasks.append((activity, task))
                    var iterator = pids.stream.makeAsyncIterator()
                    let pid = try #require(await iterator.next())
                    try await waitUntil(activity, of: pid, seenBy: observer, gate: gate)
                }
                // These find no connection free, and are waiting when the server goes.
                let waiting = (0..<20).map { _ in Task { try await pool.first(Echo(1)) } }
                try await eventually("they wait") { pool.figures.waiting == 20 }
                await server.stopImmediately()
                for (activity, task) in tasks {
                    let error = try await postgresError { try await task.value }
                    #expect(error.code == .connectionLost, "\(activity): \(error)")
                }
                for task in waiting {
                    let error = try await postgresError { try await task.value }
                    #expect(error.code == .connectionFailed || error.code == .connectionLost, "\(error)")
                }
                #expect(pool.figures.open == 0 && pool.figures.waiting == 0)
            }
            try await server.restart()
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for number in 0..<50 { group.addTask { try await pool.first(Echo(number)) } }
                for try await number in group { #expect(number != nil) }
            }
            try await #expect(pool.query(Column<Int>("select n from numbers")) == [-1])
            await pool.close()
        }
    }
}
