import Foundation
import Operations
import Postgres
import RecorderTesting
import Testing

/// Cancelling a task at every point leaves a connection that can be used, or none.
@Suite struct PostgresCancellationTests {
    @Test func `a task that is cancelled before it asks sends nothing`() async throws {
        try await withSession { session in
            let task = Task {
                // Cancelling ends the wait, too.
                try? await eventually("the task is cancelled") { Task.isCancelled }
                try await session.execute(InsertNumber(1))
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try await #expect(session.numbers() == [])
        }
    }

    @Test func `a query is cancelled at the server, and the connection goes on`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { observer in
                try await withSession(configuration) { session in
                    let pid = try await session.backendPID()
                    let task = Task { try await session.execute(Command("select pg_sleep(600)")) }
                    try await observer.waitUntil(session: pid, waitsFor: "PgSleep")
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                    try await #expect(session.backendPID() == pid)
                    try await #expect(session.first(Echo(1)) == 1)
                }
            }
        }
    }

    @Test func `a wait for a lock is cancelled`() async throws {
        try await withDatabase { configuration in
            // A third looks on: within a transaction the server shows everybody's activity as it was at its first look.
            try await withSession(configuration) { observer in
                try await withSession(configuration) { holder in
                    try await withSession(configuration) { session in
                        try await holder.run(unsafeSQL: "begin; lock table numbers")
                        let pid = try await session.backendPID()
                        let task = Task { try await session.execute(InsertNumber(1)) }
                        try await observer.waitUntil(session: pid, waitsFor: "relation")
                        task.cancel()
                        await #expect(throws: CancellationError.self) { try await task.value }
                        try await holder.run(unsafeSQL: "rollback")
                        try await #expect(session.numbers() == [])
                    }
                }
            }
        }
    }

    @Test func `a pipeline is cancelled, and nothing of it takes effect`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { observer in
                try await withSession(configuration) { session in
                    let pid = try await session.backendPID()
                    let task = Task {
                        try await session.pipeline([InsertNumber(1), Command("select pg_sleep(600)"), InsertNumber(2)])
                    }
                    try await observer.waitUntil(session: pid, waitsFor: "PgSleep")
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                    try await #expect(session.numbers() == [])
                }
            }
        }
    }

    @Test func `a statement that does not stop in time costs the connection, nothing more`() async throws {
        try await withDatabase { given in
            var configuration = given
            configuration.cancelTimeout = .milliseconds(200)
            try await withSession(given) { observer in
                // It catches the cancellation and goes on.
                try await observer.run(
                    unsafeSQL: """
                        create function stubborn() returns void language plpgsql as $$
                        begin
                            loop
                                begin
                                    perform pg_sleep(600);
                                exception when query_canceled then null;
                                end;
                            end loop;
                        end $$
                        """
                )
                let session = try await PostgresConnection.connect(configuration)
                let pid = try await session.backendPID()
                let task = Task { try await session.execute(Command("select stubborn()")) }
                try await observer.waitUntil(session: pid, waitsFor: "PgSleep")
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(!session.isOpen)
                let error = try await postgresError { try await session.first(Echo(1)) }
                #expect(error.code == .closed)
                try await observer.terminate(pid)
            }
        }
    }

    @Test func `of several tasks on one connection only the cancelled one is hit`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { observer in
                try await withSession(configuration) { session in
                    let pid = try await session.backendPID()
                    let first = Task { try await session.execute(Command("select pg_sleep(600)")) }
                    try await observer.waitUntil(session: pid, waitsFor: "PgSleep")
                    let second = Task { try await session.first(Echo(2)) }
                    let third = Task { try await session.first(Echo(3)) }
                    third.cancel()
                    first.cancel()
                    await #expect(throws: CancellationError.self) { try await first.value }
                    try await #expect(second.value == 2)
                    await #expect(throws: CancellationError.self) { try await third.value }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a request to cancel that the server has no ear for while it prepares a statement is heeded all the same`()
        async throws
    {
        // On a server of its own: those who make databases wait for a session that stands still.
        try await withTestServer { server in
            let configuration = PostgresConfiguration(url: server.url(), cancelTimeout: .seconds(60))
            try await withSession(configuration) { session in
                let pid = try await session.backendPID()
                for round in 0..<100 {
                    // It gets the request before it reads the statement that is to be
                    // prepared, and then thinks nothing of it.
                    kill(pid, SIGSTOP)
                    defer { kill(pid, SIGCONT) }
                    let hasEnded = Shared(false)
                    let task = Task {
                        defer { hasEnded.withLock { $0 = true } }
                        try await session.execute(Command("select pg_sleep(600), \(round)"))
                    }
                    // Late enough, in one of the rounds, that the statement was sent.
                    let moment = ContinuousClock.now + .milliseconds(round)
                    while ContinuousClock.now < moment { await Task.yield() }
                    task.cancel()
                    var isAsked = false
                    try await eventually("the server is asked to stop") {
                        isAsked = try Self.isInterrupted(pid)
                        return isAsked || hasEnded.withLock { $0 }
                    }
                    kill(pid, SIGCONT)
                    await #expect(throws: CancellationError.self) { try await task.value }
                    try #require(session.isOpen)
                    if isAsked { return }
                }
                Issue.record("no task was cancelled while it waited")
            }
        }
    }

    /// Whether a process that stands still has a SIGINT before it. Source: proc(5), "ShdPnd".
    private static func isInterrupted(_ pid: Int32) throws -> Bool {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") }
        let mask = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        return mask & 1 << (UInt64(SIGINT) - 1) != 0
    }

    @Test func `a late request to cancel never hits the next statement`() async throws {
        try await withSession { session in
            for round in 0..<500 {
                let task = Task {
                    switch round % 5 {
                    case 0: _ = try await session.execute(Command("select pg_sleep(0.001)"))
                    case 1: _ = try await session.pipeline([Echo(1), Command("select pg_sleep(0.001)"), Echo(2)])
                    case 2: _ = try await session.transaction { session in try await session.first(Echo(1)) }
                    case 3:
                        try await session.copyIn(unsafeSQL: "numbers (n)") { writer in
                            for number in 0..<1_000 { try writer.row(round * 1_000 + number) }
                        }
                    default:
                        try await session.copyOut(unsafeSQL: "(select generate_series(1, 1000))") { _ in }
                    }
                }
                // A random moment of the statement's life, its end included.
                let moment = ContinuousClock.now + .microseconds(Int.random(in: 0...2_000))
                while ContinuousClock.now < moment { await Task.yield() }
                task.cancel()
                do { try await task.value } catch is CancellationError {}
                // Not prepared before, so that it is two exchanges.
                try await #expect(session.first(Column<Int>("select \(round)")) == round)
                #expect(session.isIdle)
            }
        }
    }

    @Test func `a late request to cancel never spoils the next transaction`() async throws {
        try await withSession { session in
            for round in 0..<200 {
                let task = Task {
                    try await session.transaction { session in
                        _ = try await session.execute(Command("select pg_sleep(0.0005)"))
                        try await session.execute(InsertNumber(-round - 1))
                    }
                }
                let moment = ContinuousClock.now + .microseconds(Int.random(in: 0...2_500))
                while ContinuousClock.now < moment { await Task.yield() }
                task.cancel()
                let isCommitted: Bool
                do {
                    try await task.value
                    isCommitted = true
                } catch is CancellationError {
                    isCommitted = false
                }
                #expect(session.isOpen && session.isIdle)
                let stored = Column<Bool>("select exists (select from numbers where n = \(-round - 1))")
                // A commit that was cancelled too late may have taken effect all the same; success is never a lie.
                if isCommitted { try await #expect(session.first(stored) == true) }
                try await session.transaction { session in _ = try await session.execute(InsertNumber(round)) }
            }
            try await #expect(session.first(Column<Int>("select count(*) from numbers where n >= 0")) == 200)
        }
    }
}
