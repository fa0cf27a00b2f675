import EventModel
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import EventStore

/// Row-level security costs appenders and projectors nothing: their plans are those of the superuser, whom no policy
/// concerns.
@Suite struct RowSecurityPlanTests {
    /// A statement's plan instead of its rows.
    private struct Explained<S: PostgresStatement>: PostgresStatement {
        let statement: S
        var sql: String { "explain (costs off, verbose) " + statement.sql }
        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try statement.bind(&parameters) }
        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }

    private func plan(_ statement: some PostgresStatement, as role: String?, on connection: PostgresConnection)
        async throws
        -> [String]
    {
        try await connection.run(unsafeSQL: role.map { "set role \($0)" } ?? "reset role")
        return try await connection.query(Explained(statement: statement))
    }

    @Test func `appending and reading the log are planned as without policies`() async throws {
        try await withTestConnection { connection in
            let heads = ReadHeads(streams: [(StreamID.generate(at: .now()), 3)])
            let part = LogPart(shards: ShardSet(count: 16, members: [1, 2]), types: nil)
            let new = LogReader.ReadNew(old: .beginning, limit: 1_000, part: part)
            let insert = InsertEvents([], count: 0)
            for role in ["recorder_appender", "recorder_projector"] {
                #expect(try await plan(heads, as: role, on: connection) == plan(heads, as: nil, on: connection))
                #expect(try await plan(new, as: role, on: connection) == plan(new, as: nil, on: connection))
            }
            let inserting = try await plan(insert, as: "recorder_appender", on: connection)
            #expect(inserting == (try await plan(insert, as: nil, on: connection)))
            #expect(inserting.contains { $0.contains("Insert on recorder.events") })
        }
    }

    @Test func `every projection folds as without policies`() async throws {
        let projections = try ProjectionFiles.newest(in: .embedded)
        #expect(projections.count >= 6)
        try await withTestConnection { connection in
            try await connection.run(unsafeSQL: "set plan_cache_mode = force_generic_plan")
            for projection in projections {
                let nulls = Array(
                    repeating: "null",
                    count: ProjectionFiles.commonColumns.count + projection.columns.count
                ).joined(separator: ", ")
                for (number, statement) in projection.statements.enumerated() {
                    var plans: [[[String?]]] = []
                    for role in ["reset role", "set role recorder_projector"] {
                        try await connection.run(unsafeSQL: "\(role); prepare fold as \(statement)")
                        plans.append(
                            try await connection.text(unsafeSQL: "explain (costs off, verbose) execute fold (\(nulls))")
                        )
                        try await connection.run(unsafeSQL: "deallocate fold; reset role")
                    }
                    #expect(plans[0].count > 1 && plans[0] == plans[1], "\(projection.title), statement \(number + 1)")
                }
            }
        }
    }
}
