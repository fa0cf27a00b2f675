import Postgres
import Synchronization
import Testing

@Suite struct PostgresTransactionTests {
    struct Refusal: Error {}

    @Test func `what the body did is committed when it returns`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { session in
                let result = try await session.transaction { session in
                    try await session.execute(InsertNumber(1))
                    return "done"
                }
                #expect(result == "done")
                #expect(session.isIdle)
            }
            try await withSession(configuration) { session in
                try await #expect(session.numbers() == [1])
            }
        }
    }

    @Test func `what the body did is rolled back when it throws`() async throws {
        try await withSession { session in
            await #expect(throws: Refusal.self) {
                try await session.transaction { session in
                    try await session.execute(InsertNumber(1))
                    throw Refusal()
                }
            }
            #expect(session.isIdle)
            try await #expect(session.numbers() == [])
        }
    }

    @Test func `a transaction that begins late begins with whatever comes first`() async throws {
        try await withSession { session in
            let isolation = Column<String>("select current_setting('transaction_isolation')")
            let first = try await session.transaction(isolation: .repeatableRead, beginsLate: true) { session in
                let queried = try await session.first(isolation)
                return [queried, try await session.first(isolation)]
            }
            #expect(first == ["repeatable read", "repeatable read"])
            let pipelined = try await session.transaction(isolation: .repeatableRead, beginsLate: true) { session in
                let (one, two) = try await session.pipeline(isolation, isolation)
                return one + two
            }
            #expect(pipelined == ["repeatable read", "repeatable read"])
            let copied = try await session.transaction(isolation: .repeatableRead, beginsLate: true) { session in
                try await session.copyIn(unsafeSQL: "numbers") { try $0.row(7) }
                return try await session.first(isolation)
            }
            #expect(copied == "repeatable read")
            let scripted = try await session.transaction(isolation: .repeatableRead, beginsLate: true) { session in
                try await session.text(unsafeSQL: isolation.sql)
            }
            #expect(scripted == [["repeatable read"]])
            try await session.transaction(beginsLate: true) { _ in }
            #expect(session.isIdle)
            try await #expect(session.first(isolation) == "read committed", "a BEGIN was left over")
            try await #expect(session.numbers() == [7])
        }
    }

    @Test(arguments: [PostgresIsolation.readCommitted, .repeatableRead], [true, false])
    func `isolation and mode are those that were asked for`(
        isolation: PostgresIsolation,
        readOnly: Bool
    ) async throws {
        try await withSession { session in
            let settings = try await session.transaction(isolation: isolation, readOnly: readOnly) { session in
                try await session.query(
                    Column<[String]>(
                        "select array[current_setting('transaction_isolation'), current_setting('transaction_read_only')]"
                    )
                )
            }
            #expect(settings == [[isolation.rawValue, readOnly ? "on" : "off"]])
        }
    }

    @Test func `a serialization failure is retried with fresh eyes`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { first in
                try await withSession(configuration) { second in
                    try await first.run(unsafeSQL: "insert into numbers values (1)")
                    let runs = Atomic(0)
                    try await first.transaction(isolation: .repeatableRead, retries: 3) { first in
                        let run = runs.add(1, ordering: .relaxed).newValue
                        let seen = try await first.first(Column<Int>("select n from numbers")) ?? 0
                        if run == 1 {
                            // The other commits an update of the same row after the snapshot was taken.
                            try await second.run(unsafeSQL: "update numbers set n = n + 10")
                        }
                        try await first.execute(Command("update numbers set n = \(seen) + 100"))
                    }
                    #expect(runs.load(ordering: .relaxed) == 2)
                    try await #expect(first.numbers() == [111])
                }
            }
        }
    }

    @Test func `without retries a serialization failure is thrown, and says that it can be retried`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { first in
                try await withSession(configuration) { second in
                    try await first.run(unsafeSQL: "insert into numbers values (1)")
                    let error = try await postgresError {
                        try await first.transaction(isolation: .repeatableRead) { first in
                            _ = try await first.numbers()
                            try await second.run(unsafeSQL: "update numbers set n = n + 10")
                            try await first.execute(Command("update numbers set n = n + 100"))
                        }
                    }
                    #expect(error.sqlState == "40001")
                    #expect(error.isTransactionConflict && error.isRetryable)
                    #expect(first.isIdle)
                }
            }
        }
    }

    @Test func `of two transactions that deadlock both succeed in the end`() async throws {
        try await withDatabase { given in
            var configuration = given
            configuration.settings["deadlock_timeout"] = "50ms"
            try await withSession(configuration) { session in
                try await session.run(
                    unsafeSQL: "create table pair (id int primary key, n int); insert into pair values (1, 0), (2, 0)"
                )
            }
            let runs = Atomic(0)
            let firstLocked = Gate()
            let secondLocked = Gate()
            let transfer = { @Sendable [configuration] (from: Int, to: Int, mine: Gate, other: Gate) async throws in
                try await withSession(configuration) { session in
                    try await session.transaction(retries: 5) { session in
                        runs.add(1, ordering: .relaxed)
                        try await session.execute(Command("update pair set n = n - 1 where id = \(from)"))
                        mine.open()
                        await other.pass()
                        try await session.execute(Command("update pair set n = n + 1 where id = \(to)"))
                    }
                }
            }
            async let one: Void = transfer(1, 2, firstLocked, secondLocked)
            async let two: Void = transfer(2, 1, secondLocked, firstLocked)
            _ = try await (one, two)
            #expect(runs.load(ordering: .relaxed) >= 3, "there was no deadlock")
            try await withSession(configuration) { session in
                try await #expect(session.query(Column<Int>("select n from pair")) == [0, 0])
            }
        }
    }

    @Test func `an ignored error is not reported as success`() async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.transaction { session in
                    try await session.execute(InsertNumber(1))
                    _ = try? await session.execute(InsertNumber(1))
                }
            }
            #expect(error.code == .misuse)
            #expect(session.isIdle)
            try await #expect(session.numbers() == [])
        }
    }

    @Test func `a transaction inside a transaction is refused and leaves the outer one alone`() async throws {
        try await withSession { session in
            let error = try await postgresError {
                try await session.transaction { session in
                    try await session.execute(InsertNumber(1))
                    try await session.transaction { session in _ = try await session.execute(InsertNumber(2)) }
                }
            }
            #expect(error.code == .misuse)
            #expect(session.isIdle)
            try await #expect(session.numbers() == [])
        }
    }

    @Test func `a savepoint undoes its own work only, nested ones too`() async throws {
        try await withSession { session in
            try await session.transaction { session in
                try await session.execute(InsertNumber(1))
                _ = try? await session.savepoint { session in
                    try await session.execute(InsertNumber(2))
                    _ = try await session.execute(InsertNumber(1))
                }
                try await session.savepoint { session in
                    try await session.execute(InsertNumber(3))
                    _ = try? await session.savepoint { session in
                        try await session.execute(InsertNumber(4))
                        throw Refusal()
                    }
                    try await session.execute(InsertNumber(5))
                }
            }
            try await #expect(session.numbers() == [1, 3, 5])
        }
    }

    @Test func `what is rolled back on purpose gives back what was found, and leaves nothing`() async throws {
        try await withSession { session in
            let found = try await session.rolledBackTransaction { session in
                try await session.execute(InsertNumber(1))
                let inner = try await session.rolledBackSavepoint { session in
                    try await session.execute(InsertNumber(2))
                    return try await session.numbers()
                }
                return [inner, try await session.numbers()]
            }
            #expect(found == [[1, 2], [1]])
            try await #expect(session.numbers() == [])
            await #expect(throws: Refusal.self) { try await session.rolledBackTransaction { _ in throw Refusal() } }
            #expect(session.isIdle)
        }
    }

    @Test func `a savepoint outside a transaction is refused`() async throws {
        try await withSession { session in
            let error = try await postgresError { try await session.savepoint { _ in } }
            #expect(error.sqlState == "25P01")
            try await #expect(session.numbers() == [])
        }
    }

    @Test func `a failing deferred constraint is reported by the commit`() async throws {
        try await withSession { session in
            try await session.run(unsafeSQL: "create table late (n int unique deferrable initially deferred)")
            let error = try await postgresError {
                try await session.transaction { session in
                    try await session.execute(Command("insert into late values (1), (1)"))
                }
            }
            #expect(error.sqlState == "23505")
            #expect(session.isIdle)
        }
    }

    @Test func `cancellation in the body rolls back and the connection can be used`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { session in
                try await withSession(configuration) { observer in
                    let pid = try await session.backendPID()
                    let task = Task {
                        try await session.transaction { session in
                            try await session.execute(InsertNumber(1))
                            _ = try await session.execute(Command("select pg_sleep(60)"))
                        }
                    }
                    try await observer.waitUntil(session: pid, waitsFor: "PgSleep")
                    task.cancel()
                    await #expect(throws: CancellationError.self) { try await task.value }
                    #expect(session.isOpen && session.isIdle)
                    try await #expect(session.numbers() == [])
                }
            }
        }
    }

    @Test func `cancellation between the last statement and the commit rolls back`() async throws {
        try await withSession { session in
            let isWritten = Gate()
            let isCancelled = Gate()
            let task = Task {
                try await session.transaction { session in
                    try await session.execute(InsertNumber(1))
                    isWritten.open()
                    await isCancelled.pass()
                }
            }
            await isWritten.pass()
            task.cancel()
            isCancelled.open()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(session.isOpen && session.isIdle)
            try await #expect(session.numbers() == [])
        }
    }
}
