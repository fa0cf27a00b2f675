import Postgres
import RecorderTesting
import Testing

/// Transactions that let those go first who hold the locks that they need.
@Suite struct GivingWayTests {
    @Test func `who gives way says at last who was in the way`() async throws {
        try await withDatabase { database in
            try await withSession(database) { reader in
                try await reader.run(unsafeSQL: "begin; select count(*) from numbers")
                let process = try #require(try await reader.first(Column<Int32>("select pg_backend_pid()")))
                let error = try await withSession(database) { other in
                    await #expect(throws: PostgresError.self) {
                        try await other.transaction(givingWayFor: .milliseconds(1_200)) { connection in
                            try await connection.limitLockWaits(to: .milliseconds(10))
                            try await connection.run(unsafeSQL: "lock table numbers")
                        }
                    }
                }
                #expect(error?.isLockTimeout == true)
                #expect(error?.hint?.contains("(pid \(process))") == true, "\(error?.hint ?? "")")
            }
        }
    }

    @Test func `who gives way says so even if nobody knows who was in the way`() async throws {
        try await withDatabase { database in
            try await withSession(database) { reader in
                try await reader.run(unsafeSQL: "begin; select count(*) from numbers")
                let error = try await withSession(database) { other in
                    // It stands before the view of this name.
                    try await other.run(unsafeSQL: "create temporary table pg_stat_activity (nothing int)")
                    return await #expect(throws: PostgresError.self) {
                        try await other.transaction(givingWayFor: .zero) { connection in
                            try await connection.limitLockWaits(to: .milliseconds(10))
                            try await connection.run(unsafeSQL: "lock table numbers")
                        }
                    }
                }
                #expect(error?.isLockTimeout == true)
                #expect(error?.hint?.contains("step changed nothing: try again later") == true, "\(error?.hint ?? "")")
            }
        }
    }
}
