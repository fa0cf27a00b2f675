package import EventModel
package import Logging
package import Postgres
package import Schema

/// Checks a projection's folder against the contract, on a real database, which it leaves unchanged.
///
/// Tables and views are made in a scratch schema, in a transaction that is always rolled back. The sample
/// events are folded in every split of small streams, in random cuts, shuffled, one by one, by stream and by
/// shard, and redelivered after a rollback; the rows of all views have to be the same each time. The recorder's
/// migrations must have been applied there.
package struct ProjectionCheck: Sendable {
    private let files: ProjectionFiles
    private let schema: String
    private let seed: UInt64

    /// How many small streams are split at every place, and how many events of each.
    private static let smallStreams = (count: 4, events: 24)
    /// The comparison stops at this many errors.
    private static let reportLimit = 3

    /// - Parameters:
    ///   - files: The folder's version.
    ///   - schema: The recorder's schema, where the functions of the migrations are.
    ///   - seed: Decides the random cuts.
    package init(_ files: ProjectionFiles, schema: String = "recorder", seed: UInt64 = 1) {
        self.files = files
        self.schema = schema
        self.seed = seed
    }

    /// Checks the folder.
    ///
    /// - Parameters:
    ///   - sample: Events to fold, each stream's in order; simulated ones, or some of the user's own.
    ///   - configuration: The database, as a user who may create a schema.
    /// - Returns: The findings, errors among them; they are not thrown.
    /// - Throws: `PostgresError` if the database cannot be used.
    package func run(
        sample: [EventLine],
        on configuration: PostgresConfiguration,
        logger: Logger = Logger(label: "recorder.check")
    ) async throws -> ProjectionCheckReport {
        let sample = try ProjectionSample(sample, for: files)
        return try await PostgresConnection.with(configuration, logger: logger) { connection in
            try await connection.rolledBackTransaction { connection in try await inspect(sample, on: connection) }
        }
    }

    /// Runs erase.sql for no events, and looks for personal fields that are not declared as such.
    private func checkErasure(
        _ report: inout ProjectionCheckReport,
        on connection: isolated PostgresConnection
    ) async throws {
        if let script = files.eraseSQL {
            let erased = "create temporary table erased on commit drop as \(ReadModelErasure.erased(where: "false"));\n"
            if let error = try await connection.refusal(of: erased + script) {
                report.fail("erase.sql cannot be run: \(error)")
            }
        }
        let personal = Set(try await connection.query(SelectPersonalPaths()))
        for column in files.columns where !files.personal.contains(column.name) {
            guard column.path.names.isEmpty || personal.contains(column.path.description) else { continue }
            report.warn(
                "column \(column.name) = \(column.path) is personal: if it is kept as it is, add -- personal: \(column.name), "
                    + "and an erase.sql that blanks it"
            )
        }
    }

    private struct SelectPersonalPaths: PostgresStatement {
        let sql = "select distinct source || '.' || field from personal_fields"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }

    private func inspect(_ sample: ProjectionSample, on connection: isolated PostgresConnection) async throws
        -> ProjectionCheckReport
    {
        var report = ProjectionCheckReport(projection: files.title)
        report.events = sample.count
        check(sample, &report)
        let scratch = try await ScratchSchema.make(beside: schema, on: connection)
        for (script, file) in [(files.tableSQL, "table.sql"), (files.viewSQL, "view.sql")] {
            if let error = try await connection.refusal(of: script) {
                report.fail("\(file) cannot be installed: \(error)")
                return report
            }
        }
        try await checkErasure(&report, on: connection)
        let relations = RelationCheck(files: files, schema: schema, scratch: scratch.name)
        try await relations.run(&report, on: connection)
        let views = try await connection.firstColumn(
            unsafeSQL: "select relname from pg_class where relnamespace = '\(scratch.name)'::regnamespace "
                + "and relkind in ('v', 'm') order by 1"
        )
        if views.isEmpty { report.fail("view.sql makes no view: nobody could read what is projected") }
        // There is no point in folding in many ways what cannot be folded at all.
        guard report.passes, sample.count > 0 else { return report }
        try await compare(sample, views: views, &report, on: connection)
        return report
    }

    private func check(_ sample: ProjectionSample, _ report: inout ProjectionCheckReport) {
        for misfit in sample.misfits {
            let column = files.columns[misfit.column]
            report.fail(
                "column \(column.name): a value of \(column.path) in \(misfit.type) is no \(column.type.rawValue), and would quarantine "
                    + "its stream: declare the type that events have"
            )
        }
        for pattern in files.handles where !sample.types.contains(where: { ProjectionFiles.covers(pattern, $0) }) {
            report.warn("no sample event is \(pattern): what is made of it was not tried")
        }
        for column in sample.missing.sorted() {
            report.warn(
                "column \(files.columns[column].name): no sample event has \(files.columns[column].path): is it spelt right?"
            )
        }
    }

    /// Folds the sample in many ways and compares each with folding it at once.
    private func compare(
        _ sample: ProjectionSample,
        views: [String],
        _ report: inout ProjectionCheckReport,
        on connection: isolated PostgresConnection
    ) async throws {
        // A view with a column `shard` shows partial rows, which another view sums.
        let partial = try await connection.firstColumn(
            unsafeSQL:
                "select distinct attrelid::regclass::text from pg_attribute where attname = 'shard' and attnum > 0 "
                + "and attrelid::regclass::text in ('\(views.joined(separator: "', '"))')"
        )
        guard Set(partial) != Set(views) else {
            report.fail("every view names the shard: one at least sums the partial rows, or nothing can be compared")
            return
        }
        var random = SplitMix64(seed: seed)
        var groups: [(reference: BatchCut, cuts: [BatchCut])] = []
        let streams = Dictionary(grouping: sample.streams.indices) { sample.streams[$0] }
        let small = streams.filter { $0.value.count > 1 }.sorted { ($0.value.count, $0.key) < ($1.value.count, $1.key) }
        for (number, rows) in small.prefix(Self.smallStreams.count) {
            let rows = Array(rows.prefix(Self.smallStreams.events))
            let name = "stream \(sample.streamIDs[number])"
            let reference = BatchCut(name: name, deliveries: [.init(rows: rows)])
            groups.append((reference, BatchCut.splits(of: rows, name: name)))
        }
        groups.append((.whole(0..<sample.count), BatchCut.ways(sample.streams, random: &random)))
        for (reference, cuts) in groups {
            let expected = try await fold(reference, of: sample, views: views, &report, on: connection)
            guard let expected else { return }
            report.rows = expected.count
            for cut in cuts {
                let found = try await fold(cut, of: sample, views: views, &report, on: connection)
                if let found, let difference = expected.dropping(partial).difference(to: found) {
                    report.fail("the result depends on batching. With \(cut.name), \(difference)")
                }
                guard report.findings.count(where: { $0.severity == .error }) < Self.reportLimit else { return }
            }
        }
        if report.rows == 0 { report.warn("the views are empty after all sample events") }
    }

    /// Delivers the sample in one way.
    ///
    /// - Returns: The views' contents afterwards; `nil` if a statement failed, which is reported.
    private func fold(
        _ cut: BatchCut,
        of sample: ProjectionSample,
        views: [String],
        _ report: inout ProjectionCheckReport,
        on connection: isolated PostgresConnection
    ) async throws -> ViewContents? {
        report.cuts += 1
        try await connection.run(unsafeSQL: "savepoint recorder_cut")
        var contents: ViewContents? = ViewContents()
        do {
            for delivery in cut.deliveries {
                report.batches += 1
                try await connection.run(
                    unsafeSQL:
                        "savepoint recorder_delivery; select set_config('recorder.shard', '\(delivery.shard)', true)"
                )
                try await connection.pipeline(sample.statements(delivery.rows))
                let end = delivery.isRedelivered ? "rollback to savepoint recorder_delivery; " : ""
                try await connection.run(unsafeSQL: end + "release savepoint recorder_delivery")
            }
            for view in views {
                contents?.rows[view] = try await connection.firstColumn(
                    unsafeSQL: "select to_jsonb(v)::text from \"\(view)\" v order by 1"
                )
            }
        } catch let error as PostgresError where error.code == .server {
            report.fail("apply.sql or a view fails with \(cut.name): \(error)")
            contents = nil
        }
        try await connection.run(unsafeSQL: "rollback to savepoint recorder_cut; release savepoint recorder_cut")
        return contents
    }
}
