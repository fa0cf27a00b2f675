import Postgres
import RecorderTesting
import Testing

/// Which audited rows go by age, and whose chains are locked for it.
@Suite struct AuditRetentionTests {
    /// Chains whose rows are so many days old, in their order.
    private static let chains: [(name: Character, days: [Int])] = [
        ("a", [9, 8, 7]), ("b", [9]), ("c", [9, 1, 9, 9]), ("d", [1, 1]), ("e", [9, 9, 1]), ("f", [9, 9, 9]),
    ]

    private static func id(_ name: Character) -> String {
        "\(String(repeating: name, count: 8))-0000-4000-8000-000000000000"
    }

    private static func prepare(_ connection: PostgresConnection) async throws {
        for (name, days) in chains {
            for (place, days) in days.enumerated() {
                try await connection.run(
                    unsafeSQL: """
                        insert into audit_logs_v1
                            (chain, position, id, user_id, action, resource, result, metadata, timestamp, hash)
                        values ('\(id(name))', \(place), gen_random_uuid(), '\(id(name))', 'user.logged_in', 'user', 'success',
                            '{}', now() - interval '\(days) days', '\\x0\(place)')
                        """
                )
            }
            try await connection.run(
                unsafeSQL: """
                    insert into audit_chains_v1 (chain, length, head_position, head_hash)
                    values ('\(id(name))', \(days.count), \(days.count - 1), '\\x0\(days.count - 1)')
                    """
            )
        }
        try await connection.run(
            unsafeSQL: """
                update retention_policies set keep_for = '5 days' where name = 'audit_logs';
                insert into legal_holds (user_id, reason, held_by) values ('\(id("f"))', 'a case', 'counsel')
                """
        )
    }

    @Test(arguments: [1, 2, 3, 100])
    func `each chain loses what is old up to its first young row, and keeps its last`(batch: Int) async throws {
        try await withTestConnection { connection in
            try await Self.prepare(connection)
            #expect(try await connection.text(unsafeSQL: "select retain_audit_logs(\(batch), true)") == [["5"]])
            var removed = 0
            while true {
                let rows = try await connection.text(unsafeSQL: "select retain_audit_logs(\(batch), false)")
                let count = try #require(rows.first?.first?.flatMap { Int($0) })
                removed += count
                try #require(removed <= 5, "a row was removed twice")
                if count < batch { break }
            }
            #expect(removed == 5)
            let left = try await connection.text(
                unsafeSQL: """
                    select left(chain::text, 1), string_agg(position::text, ' ' order by position) from audit_logs_v1
                    group by 1 order by 1
                    """
            )
            #expect(left == [["a", "2"], ["b", "0"], ["c", "1 2 3"], ["d", "0 1"], ["e", "2"], ["f", "0 1 2"]])
            let seeds = try await connection.text(
                unsafeSQL: "select left(chain::text, 1), position, hash from audit_seeds order by 1"
            )
            #expect(seeds == [["a", "1", "\\x01"], ["c", "0", "\\x00"], ["e", "1", "\\x01"]])
        }
    }

    @Test func `a version that the views do not read leaves the seeds as they are`() async throws {
        try await withTestConnection { connection in
            try await Self.prepare(connection)
            #expect(try await connection.text(unsafeSQL: "select retain_audit_logs(100, false)") == [["5"]])
            try await connection.run(
                unsafeSQL: """
                    create table audit_logs_v2 (like audit_logs_v1 including all);
                    create table audit_chains_v2 (like audit_chains_v1 including all);
                    insert into audit_chains_v2 (chain, length) values ('\(Self.id("a"))', 3), ('\(Self.id("b"))', 3);
                    insert into audit_logs_v2 (chain, position, id, action, resource, result, metadata, timestamp, hash)
                    select chain, n, gen_random_uuid(), 'user.logged_in', 'user', 'success', '{}', '-infinity', '\\xff'
                    from audit_chains_v2, generate_series(0, 2) n
                    """
            )
            let seeds = "select left(chain::text, 1), position, hash from audit_seeds order by 1"
            let before = try await connection.text(unsafeSQL: seeds)
            #expect(try await connection.text(unsafeSQL: "select retain_audit_logs(1, false)") == [["1"]])
            #expect(try await connection.text(unsafeSQL: "select retain_audit_logs(100, false)") == [["3"]])
            let after = try await connection.text(unsafeSQL: seeds)
            #expect(after.filter { $0[0] != "b" } == before)
        }
    }

    @Test func `who adds to a chain that loses nothing is not waited for`() async throws {
        try await withTestDatabase { database in
            try await withConnection(database) { connection in
                try await Self.prepare(connection)
                try await withConnection(database) { worker in
                    try await worker.run(
                        unsafeSQL: "begin; select from audit_chains_v1 where chain = '\(Self.id("d"))' for update"
                    )
                    try await connection.run(unsafeSQL: "set lock_timeout = '2s'")
                    #expect(try await connection.text(unsafeSQL: "select retain_audit_logs(100, false)") == [["5"]])
                    try await worker.run(unsafeSQL: "rollback")
                }
            }
        }
    }
}
