import Postgres
import Testing

/// Commits that are sent together with the statements before them.
@Suite struct PostgresCommitTests {
    @Test func `statements that end a transaction are committed with it, or not at all`() async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { session in
                let touched = try await session.transaction(beginsLate: true) { session in
                    try await session.commit(after: [InsertNumber(1), InsertNumber(2)])
                }
                #expect(touched == [1, 1])
                #expect(session.isIdle)
                for late in [true, false] {
                    await #expect(throws: PostgresError.self) {
                        try await session.transaction(beginsLate: late) { session in
                            try await session.execute(InsertNumber(3))
                            try await session.commit(after: [InsertNumber(4), Command("select 1 / 0")])
                        }
                    }
                    #expect(session.isIdle)
                }
            }
            try await withSession(configuration) { session in
                try await #expect(session.numbers() == [1, 2])
            }
        }
    }

    @Test(arguments: 0...3) func `of transactions that are committed in turn, those before the first that fails stay`(
        failing: Int
    ) async throws {
        try await withDatabase { configuration in
            try await withSession(configuration) { session in
                let turns: [[any PostgresStatement]] = (0..<3).map { turn in
                    [InsertNumber(turn)] + (turn == failing ? [Command("select 1 / 0")] : [])
                }
                let body = { @Sendable (session: isolated PostgresConnection) in
                    try await session.execute(InsertNumber(7))
                    return try await session.commit(inTurn: turns, isolation: .repeatableRead)
                }
                if failing == 0 {
                    await #expect(throws: PostgresError.self) { try await session.transaction(body) }
                } else {
                    try await #expect(session.transaction(body) == failing)
                }
                #expect(session.isIdle)
            }
            try await withSession(configuration) { session in
                try await #expect(session.numbers() == (failing == 0 ? [] : Array(0..<failing) + [7]))
            }
        }
    }
}
