import ArgumentParser
import Privacy

/// `recorder retention run`: deletes what is old enough.
struct RetentionRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Goes through the policies that are enabled, in batches.",
        discussion: """
            Deletes expired cache rows, documents and models that were deleted long enough ago, minutes of latencies (hours \
            and days stay) and old audited rows (what is left of a chain still verifies), and erases users who were deleted \
            long enough ago, with their objects if --objects says where these are. Finishes erasures that were cut off, \
            whoever began them. Passes by users under a legal hold. Cut off, it goes on when it is run again.

            Exit status 1 if users could not be erased: the others were.

            EXAMPLES
              recorder retention run --dry-run
              recorder retention run --json
            """
    )

    @Flag(help: "Only say what would go.")
    var dryRun = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many rows go in one transaction at most.", valueName: "count")
    )
    var batchSize = 500

    @Option(help: ArgumentHelp("Who does it; stands in the events.", valueName: "name"))
    var actor = "recorder retention"

    @OptionGroup var objects: ObjectStoreOptions
    @OptionGroup var projectionSource: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        try ActorName.check(actor)
        guard (1...100_000).contains(batchSize) else { throw ValidationError("--batch-size is 1 to 100000.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let files = try projectionSource.source.files()
        let (actor, objects) = (actor, try settings.objects.store(objects))
        let outcomes = try await settings.withPool { pool in
            try await settings.withStore { store in
                let retention = Retention(pool, store: store, batchSize: batchSize) { user in
                    try await settings.erasure(
                        of: user,
                        by: actor,
                        pool,
                        store,
                        projections: files,
                        objects: objects
                    ).runIfDue() != nil
                }
                return try await retention.run(isDry: dryRun)
            }
        }
        Self.table(isDry: dryRun).print(outcomes, json: options.json) { Self.write($1, isDry: dryRun, to: &$0) }
        let erased = outcomes.first { $0.policy.subject == .deletedUsers }?.rows ?? 0
        if !dryRun, objects == nil, erased > 0 {
            StandardError.line(
                "recorder: no object store was given (--objects), so none was searched for objects of the "
                    + "\(Counted.text(erased, "user")) who went"
            )
        }
        let failures = outcomes.flatMap(\.failures)
        for failure in failures {
            StandardError.line("recorder: user \(failure.user) is not erased: \(failure.reason)")
        }
        guard failures.isEmpty else {
            throw CommandError(
                .refused,
                "\(Counted.text(failures.count, "user")) could not be erased; the next run tries again"
            )
        }
    }
    private static func table(isDry: Bool) -> TextTable<Retention.Outcome> {
        TextTable([
            .init("policy") { $0.policy.subject.rawValue },
            .init("kept for") { $0.policy.keepFor },
            .init(isDry ? "would go" : "gone", .right) { $0.rows.map { Counted.grouped($0) } ?? "not enabled" },
            .init("batches", .right) { isDry || $0.rows == nil ? nil : Counted.grouped($0.batches) },
        ])
    }

    private static func write(_ outcome: Retention.Outcome, isDry: Bool, to line: inout JSONLine) {
        line.field("policy", outcome.policy.subject.rawValue)
        line.field("keepFor", outcome.policy.keepFor)
        line.field("enabled", outcome.policy.isEnabled)
        line.field("dryRun", isDry)
        line.field("rows", outcome.rows)
        line.field("batches", outcome.batches)
        line.field("failed", outcome.failures.count)
    }
}
