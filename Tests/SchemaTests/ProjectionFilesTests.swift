import Postgres
import RecorderTesting
import Testing

@testable import Schema

@Suite struct ProjectionFilesTests {
    static let header = """
        -- handles: turn.generated, user.*, *
        -- column: turn_id uuid = data.turnId
        -- column: latency double precision = data.stage.latencyMs

        """

    func projection(_ apply: String) throws(SchemaError) -> ProjectionFiles {
        try ProjectionFiles(name: "sample", version: 3, tableSQL: "", applySQL: apply, viewSQL: "")
    }

    @Test func `the header is read`() throws {
        let projection = try projection(Self.header + "select 1")
        #expect(projection.handles == ["turn.generated", "user.*", "*"])
        #expect(projection.columns.map(\.name) == ["turn_id", "latency"])
        #expect(projection.columns.map(\.type) == [.uuid, .doublePrecision])
        #expect(projection.columns.map(\.path.description) == ["data.turnId", "data.stage.latencyMs"])
        #expect(projection.title == "sample v3")
        #expect(projection.mostShards == nil)
        #expect(try self.projection("-- shards: 4\n-- note: any\n" + Self.header + "select 1").mostShards == 4)
    }

    @Test func `lines may end as on Windows`() throws {
        let script = Self.header + "select 1;\nselect 2"
        let projection = try projection(script.replacing("\n", with: "\r\n"))
        #expect(projection.columns.map(\.name) == ["turn_id", "latency"])
        #expect(projection.statements.count == 2)
        #expect(projection.statementLines == [4, 5])
    }

    @Test func `a statement takes any relation as its batch`() throws {
        let projection = try projection(Self.header + "select 1;\nwith recursive b(n) as (select 1) select * from b;")
        #expect(
            projection.statements(over: "batch as (select 2)") == [
                "with batch as (select 2)\nselect 1",
                "with recursive batch as (select 2), b(n) as (select 1) select * from b",
            ]
        )
    }

    @Test func `statements are split where they end and nowhere else`() throws {
        let script = """
            -- a comment; with a semicolon
            insert into t values (';', 'it''s;', E'\\';', "a;b", $$;$$, $tag$ $$; $tag$, $1, a$1); /* one; /* two; */ */
            update t set a = 1 -- last; comment
            ;
            ;; delete from t
            """
        let statements = try SQLStatement.split(script, file: "f")
        #expect(statements.map(\.line) == [2, 3, 5])
        #expect(statements.map { $0.text.prefix(6) } == ["insert", "update", "delete"])
        #expect(statements[0].text.hasSuffix("a$1)"))
        #expect(statements[2].text == "delete from t")
    }

    @Test func `batch stands in front of every kind of statement`() throws {
        let projection = try projection(
            Self.header + """
                insert into t select 1;
                WITH /* x */ a as (select 2) select * from a;
                with recursive b(n) as (select 1) select * from b;
                """
        )
        let columns = [
            "unnest($1::bigint[]) as \"position\"", "unnest($2::uuid[]) as \"stream_id\"",
            "unnest($3::integer[]) as \"version\"", "unnest($4::uuid[]) as \"event_id\"",
            "unnest($5::text[]) as \"type\"", "unnest($6::timestamptz[]) as \"occurred_at\"",
            "unnest($7::timestamptz[]) as \"recorded_at\"", "unnest($8::uuid[]) as \"turn_id\"",
            "unnest($9::double precision[]) as \"latency\"",
        ]
        let batch = "batch as (select \(columns.joined(separator: ", ")))"
        #expect(projection.statements[0] == "with \(batch)\ninsert into t select 1")
        #expect(projection.statements[1] == "with \(batch), /* x */ a as (select 2) select * from a")
        #expect(projection.statements[2] == "with recursive \(batch), b(n) as (select 1) select * from b")
    }

    @Test(arguments: [
        ("select 1", "apply.sql:1: the header does not say"),
        (
            "-- handles: turn.*\n-- personal: words\nselect 1",
            "apply.sql:2: words is declared as personal, but not as a column"
        ),
        ("-- handles: turn.*\n-- column: w text = data.w\n-- personal: w\nselect 1", "so the folder has an erase.sql"),
        (
            "-- handles: turn.completed\n-- reads: turn.complete\nselect 1",
            "apply.sql:2: columns are read of turn.complete,"
        ),
        ("-- handles: turn.*\n\nselect 1;\n\ncreate table t ()", "apply.sql:5: a statement of apply.sql begins"),
        ("-- handles: turn.*\nselect 'open", "apply.sql:2: the string"),
        ("-- handles: turn.*\n\nselect /* open", "apply.sql:3: the comment"),
        ("-- handles: turn.*\nselect $a$ $b$", "apply.sql:2: the dollar-quoted"),
        ("-- handles: turn.*\n-- column: a int = data.a\nselect 1", "apply.sql:2: a column's type is one of"),
        ("-- handles: turn.*\n-- column: a text = body.a\nselect 1", "apply.sql:2: \"body.a\" does not lie"),
        ("-- handles: turn.*\n-- column: a text = data\nselect 1", "apply.sql:2: data as a whole is jsonb"),
        ("-- handles: turn.*\n-- column: type text = data.a\nselect 1", "apply.sql:2: every batch has a column type"),
        (
            "-- handles: turn.*\n-- column: a text = data.a\n-- column: a text = data.b\nselect 1",
            "apply.sql:3: column a is"
        ),
        (
            "-- handles: turn.*\n-- columns: a text = data.a\nselect 1",
            "apply.sql:2: \"columns:\" is written \"column:\""
        ),
        ("-- handles: turn.*\n-- shard: 1\nselect 1", "apply.sql:2: \"shard:\" is written \"shards:\""),
        ("-- handles: turn.*\n-- keys: stream\nselect 1", "apply.sql:2: \"keys:\" is written \"key:\""),
        ("-- handles: turn.*\n-- READ: turn.*\nselect 1", "apply.sql:2: \"READ:\" is written \"reads:\""),
        ("-- handles: turn.*\n-- Personal: a\nselect 1", "apply.sql:2: \"Personal:\" is written \"personal:\""),
        ("-- Handle: turn.*\nselect 1", "apply.sql:1: \"Handle:\" is written \"handles:\""),
        ("-- handles: turn.*\n-- column: a text\nselect 1", "apply.sql:2: a column is declared as"),
        ("-- handles: turn.*\n-- shards: 0\nselect 1", "apply.sql:2: the most shards that a projection can have"),
        ("-- handles: Turn!\nselect 1", "apply.sql:1: \"Turn!\" is not an event type"),
        ("-- handles: turn.*\n", "holds no statement"),
    ])
    func `what breaks the contract is named with its line`(apply: String, expected: String) {
        let error = #expect(throws: SchemaError.self) { try projection(apply) }
        #expect(error?.code == .invalidFile)
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test func `a folder that lacks a file or has another is named`() throws {
        let good = ["table", "apply", "view"].reduce(into: [String: String]()) {
            $0["projections/sample/v1/\($1).sql"] = Self.header + "select 1"
        }
        #expect(try ProjectionFiles.all(in: SQLFiles(texts: good)).map(\.title) == ["sample v1"])
        for (path, expected) in [
            ("projections/sample/v2/table.sql", "sample/v2/apply.sql is missing"),
            ("projections/sample/v1/extra.sql", "sample/v1/extra.sql"),
            ("projections/sample/table.sql", "sample/table.sql"),
        ] {
            let error = #expect(throws: SchemaError.self) {
                try ProjectionFiles.all(in: SQLFiles(texts: good.merging([path: "select 1"]) { $1 }))
            }
            #expect(error?.message.contains(expected) == true)
        }
    }

    @Test func `the newest version of each is taken`() throws {
        var texts: [String: String] = [:]
        for folder in ["a/v1", "a/v10", "a/v9", "b/v2"] {
            for file in ["table", "apply", "view"] {
                texts["projections/\(folder)/\(file).sql"] = Self.header + "select 1"
            }
        }
        #expect(try ProjectionFiles.newest(in: SQLFiles(texts: texts)).map(\.title) == ["a v10", "b v2"])
    }

    @Test func `the shipped projections' statements can be prepared`() async throws {
        try await withTestConnection { connection in
            let projections = try ProjectionFiles.all(in: .embedded)
            #expect(projections.count == 6)
            for projection in projections {
                for (number, statement) in projection.statements.enumerated() {
                    try await connection.run(unsafeSQL: "prepare \(projection.name)_\(number) as \(statement)")
                }
            }
        }
    }

    @Test func `installing twice makes the tables once, and a changed table is refused`() async throws {
        func projection(_ version: Int, table: String, view: String) throws -> ProjectionFiles {
            try ProjectionFiles(
                name: "sample",
                version: version,
                tableSQL: table,
                applySQL: Self.header + "select 1",
                viewSQL: view
            )
        }
        try await withTestConnection(.empty) { connection in
            _ = try await Migrator(files: SQLFiles(texts: [:])).up(on: connection)
            let installer = ProjectionInstaller()
            let first = try projection(
                1,
                table: "create table s_v1 (n int)",
                view: "create view s as select n from s_v1"
            )
            #expect(try await installer.install(first, on: connection))
            #expect(try await !installer.install(first, on: connection))
            // The view follows its file.
            let view = "create or replace view s as select n, n as m from s_v1"
            #expect(try await !installer.install(projection(1, table: first.tableSQL, view: view), on: connection))
            try await connection.run(unsafeSQL: "select m from recorder.s")
            let error = await #expect(throws: SchemaError.self) {
                try await installer.install(
                    projection(1, table: "create table s_v1 (n text)", view: view),
                    on: connection
                )
            }
            #expect(error?.code == .changedFile)
            // A second version stands beside the first, which keeps the views.
            let second = try projection(
                2,
                table: "create table s_v2 (n text)",
                view: "drop view s; create view s as select n from s_v2"
            )
            #expect(try await installer.install(second, on: connection))
            let installed = try await installer.installed(on: connection)
            #expect(installed.map(\.id.version) == [1, 2])
            #expect(installed.map(\.isActive) == [true, false])
            try await connection.run(unsafeSQL: "select m from recorder.s")
        }
    }
}
