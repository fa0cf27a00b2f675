import Postgres
import RecorderTesting
import Synchronization
import Testing

@Suite struct PostgresPoolTests {
    private func withPool<R>(
        _ limits: PostgresPool.Limits,
        _ body: (PostgresPool, PostgresConfiguration) async throws -> R
    ) async throws -> R {
        try await withDatabase { configuration in
            let pool = PostgresPool(configuration, limits: limits, logger: TestServer.logger)
            do {
                let result = try await body(pool, configuration)
                await pool.close()
                return result
            } catch {
                await pool.close()
                throw error
            }
        }
    }

    @Test func `1,000 tasks share 4 connections`() async throws {
        try await withPool(PostgresPool.Limits(size: 4, acquireTimeout: .seconds(120))) { pool, _ in
            let pids = try await withThrowingTaskGroup(of: Int32.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        try await pool.withConnection { connection in
                            try await connection.execute(InsertNumber(number))
                            return try await connection.backendPID()
                        }
                    }
                }
                return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
            }
            #expect(pids.count <= 4)
            #expect(pool.figures.open <= 4 && pool.figures.inUse == 0 && pool.figures.waiting == 0)
            try await #expect(pool.first(Column<Int>("select count(*) from numbers")) == 1_000)
        }
    }

    @Test func `waiters are served in the order in which they came`() async throws {
        try await withPool(PostgresPool.Limits(size: 1, acquireTimeout: .seconds(600))) { pool, _ in
            let gate = Gate()
            let (order, served) = AsyncStream<Int>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                let isHeld = Gate()
                group.addTask {
                    try await pool.withConnection { _ in
                        isHeld.open()
                        await gate.pass()
                    }
                }
                await isHeld.pass()
                for number in 0..<20 {
                    group.addTask {
                        try await pool.withConnection { _ in _ = served.yield(number) }
                    }
                    try await eventually("task \(number) waits") { pool.figures.waiting == number + 1 }
                }
                gate.open()
                try await group.waitForAll()
            }
            served.finish()
            let numbers = await order.reduce(into: []) { $0.append($1) }
            #expect(numbers == Array(0..<20))
        }
    }

    @Test func `who finds no connection in time gets an error that says so`() async throws {
        try await withPool(PostgresPool.Limits(size: 1, acquireTimeout: .milliseconds(100))) { pool, _ in
            try await pool.withConnection { _ in
                let error = try await postgresError { try await pool.first(Echo(1)) }
                #expect(error.code == .timedOut)
                #expect(error.message.contains("all 1 are in use"))
                #expect(pool.figures.waiting == 0)
            }
            try await #expect(pool.first(Echo(1)) == 1)
        }
    }

    @Test func `a task that is cancelled while it waits stops waiting at once`() async throws {
        try await withPool(PostgresPool.Limits(size: 1, acquireTimeout: .seconds(600))) { pool, _ in
            try await pool.withConnection { _ in
                let task = Task { try await pool.first(Echo(1)) }
                try await eventually("the task waits") { pool.figures.waiting == 1 }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(pool.figures.waiting == 0)
            }
            try await #expect(pool.first(Echo(1)) == 1)
        }
    }

    @Test func `a task that is cancelled already takes no connection`() async throws {
        try await withPool(PostgresPool.Limits(size: 1)) { pool, _ in
            let task = Task {
                // Cancelling ends the wait, too.
                try? await eventually("the task is cancelled") { Task.isCancelled }
                return try await pool.first(Echo(1))
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(pool.figures.open == 0)
        }
    }

    @Test func `idle connections are closed`() async throws {
        let limits = PostgresPool.Limits(size: 4, acquireTimeout: .milliseconds(500), idleTimeout: .milliseconds(50))
        try await withPool(limits) { pool, _ in
            _ = try await pool.first(Echo(1))
            try await eventually("the pool is empty") { pool.figures.open == 0 }
            try await #expect(pool.first(Echo(1)) == 1)
        }
    }

    @Test func `a connection that reached its lifetime is replaced`() async throws {
        try await withPool(PostgresPool.Limits(size: 1, lifetime: .zero)) { pool, _ in
            let first = try await pool.withConnection { try await $0.backendPID() }
            let second = try await pool.withConnection { try await $0.backendPID() }
            #expect(first != second)
        }
    }

    @Test func `a connection that the server ended while it idled is replaced, not handed out`() async throws {
        try await withPool(PostgresPool.Limits(size: 1)) { pool, configuration in
            let first = try await pool.withConnection { try await $0.backendPID() }
            try await withSession(configuration) { observer in try await observer.terminate(first) }
            let second = try await pool.withConnection { connection in
                try await connection.execute(InsertNumber(1))
                return try await connection.backendPID()
            }
            #expect(first != second)
        }
    }

    @Test func `a connection that is left in a transaction is not handed on`() async throws {
        try await withPool(PostgresPool.Limits(size: 1)) { pool, _ in
            try await pool.withConnection { connection in
                try await connection.run(unsafeSQL: "begin; insert into numbers values (1)")
            }
            try await pool.withConnection { connection in
                #expect(connection.isIdle)
                try await #expect(connection.numbers() == [])
            }
        }
    }

    @Test func `transactions of the pool commit and retry`() async throws {
        try await withPool(PostgresPool.Limits(size: 8, acquireTimeout: .seconds(600))) { pool, _ in
            try await pool.execute(InsertNumber(0))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        _ = try await pool.transaction(isolation: .repeatableRead, retries: 1_000) { connection in
                            try await connection.execute(Command("update numbers set n = n + 1"))
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await #expect(pool.query(Column<Int>("select n from numbers")) == [8])
        }
    }

    @Test func `closing refuses those who wait and those who come, and ends what comes back`() async throws {
        try await withPool(PostgresPool.Limits(size: 1, acquireTimeout: .seconds(600))) { pool, configuration in
            let (pid, waiting) = try await pool.withConnection { connection in
                let waiting = Task { try await pool.first(Echo(1)) }
                try await eventually("the task waits") { pool.figures.waiting == 1 }
                await pool.close()
                // What is lent out works on.
                try await #expect(connection.first(Echo(1)) == 1)
                return (try await connection.backendPID(), waiting)
            }
            let waited = try await postgresError { try await waiting.value }
            #expect(waited.code == .closed)
            let came = try await postgresError { try await pool.first(Echo(1)) }
            #expect(came.code == .closed)
            #expect(pool.figures.open == 0)
            try await withSession(configuration) { observer in
                try await eventually("the session ends") {
                    try await observer.first(
                        Column<Bool>("select exists (select from pg_stat_activity where pid = \(pid))")
                    ) == false
                }
            }
        }
    }

    @Test func `an error of the body leaves the connection in the pool`() async throws {
        try await withPool(PostgresPool.Limits(size: 1)) { pool, _ in
            let first = try await pool.withConnection { try await $0.backendPID() }
            _ = try await postgresError { try await pool.execute(Command("select 1 / 0")) }
            let second = try await pool.withConnection { try await $0.backendPID() }
            #expect(first == second)
        }
    }

    @Test func `a server that cannot be reached is an error for each, not a wait`() async throws {
        let configuration = PostgresConfiguration(url: "host=/nonexistent port=1 user=nobody dbname=none")
        let pool = PostgresPool(configuration, limits: PostgresPool.Limits(size: 2, acquireTimeout: .seconds(60)))
        await withTaskGroup(of: PostgresError?.self) { group in
            for _ in 0..<50 {
                group.addTask { try? await postgresError { try await pool.first(Echo(1)) } }
            }
            for await error in group { #expect(error?.code == .connectionFailed) }
        }
        #expect(pool.figures.open == 0)
        await pool.close()
    }
}
