import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import ReadModel

/// One user's audited events are found by the key of their table, however many others there are.
@Suite struct AuditPlanTests {
    /// A thousand chains of twenty rows, and one of five thousand.
    private static let rows = """
        insert into audit_logs_v1 (chain, position, id, user_id, action, resource, result, metadata, timestamp, hash)
        select user_id, n, gen_random_uuid(), user_id, 'user.logged_in', 'user', 'success', '{}', now(), ''
        from (
            select ('00000000-0000-7000-8000-'
                || lpad(case when n > 20000 then '7' else (n % 1000)::text end, 12, '0'))::uuid as user_id, n
            from generate_series(1, 25000) n
        ) numbered;
        """

    private struct Explain<Statement: PostgresStatement>: PostgresStatement {
        let statement: Statement
        var sql: String { "explain (costs off) " + statement.sql }
        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try statement.bind(&parameters) }
        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }

    @Test(arguments: ["recorder_analyst", "recorder_service"])
    func `a user's rows come from the key, and a page of them in its order`(role: String) async throws {
        try await withTestConnection { connection in
            try await connection.run(unsafeSQL: "begin; \(Self.rows) commit")
            try await connection.run(unsafeSQL: "vacuum analyze audit_logs_v1")
            let user = try #require(StreamID("00000000-0000-7000-8000-000000000007"))
            try await connection.run(unsafeSQL: "set role \(role); set recorder.user_id = '\(user)'")
            var filter = AuditFilter()
            filter.user = user
            let plan = try await connection.query(Explain(statement: SelectAudit(filter))).joined(separator: "\n")
            #expect(plan.contains("audit_logs_v1_pkey"), "\(plan)")
            // What a service may see is another condition, which the planner thinks leaves less than a page.
            if role == "recorder_analyst" { #expect(!plan.contains("Sort"), "\(plan)") }
            filter.limit = 1_000
            let page = try await connection.query(SelectAudit(filter))
            #expect(page.count == 1_000 && page.allSatisfy { $0.userID == user })
            filter.user = StreamID("00000000-0000-0000-0000-000000000000")
            #expect(try await connection.query(SelectAudit(filter)).isEmpty)
        }
    }
}
