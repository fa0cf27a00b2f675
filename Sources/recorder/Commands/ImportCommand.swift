import ArgumentParser
import EventStore

/// `recorder import FILE…`: many events, fast.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Stores the events of files, one JSON object a line. Importing a file again stores nothing twice.",
        discussion: """
            Files are read one after another; each stream keeps the order of its lines. Events that are stored already \
            are recognised by stream and id, so after a crash the same import is simply run again. An event without an \
            id gets one that follows from the file's path, its line and the line's number, and is recognised in the same \
            place of the same file. From standard input and pipes it gets a new id, and is stored again with each run.

            The import stops with status 1 at the first line that breaks the contract and names file, line, field and \
            reason. What stands before that line is stored, it and what follows is not. An event that its stream \
            refuses (a wrong expected version) is reported, the others go on, and the status is 1 at the end. It also \
            stops where no event can be stored: the database is away for 30 seconds, the login may not append. Ctrl-C or \
            SIGTERM ends the reading: what was read is stored and counted, and the status is 1.

            EXAMPLES
              recorder import monday.jsonl tuesday.jsonl
              zcat archive.jsonl.gz | recorder import -
            """
    )

    @Argument(help: ArgumentHelp("The files; - is standard input.", valueName: "file"), completion: .file())
    var files: [String]

    @OptionGroup var metrics: MetricsOptions

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let (files, json) = (files, options.json)
        // A wrong name is reported before anything is stored.
        for file in files { try LineSource.check(path: file) }
        let stop = try StopSignal()
        let counts = try await metrics.counting(settings.logger) {
            try await settings.withStore(stoppedBy: stop) { store in
                // Without the key, a stream's events would be stored except the personal ones, which would then come
                // too late.
                try await store.checkSealingKey()
                return try await store.withAppender { appender in
                    try await Self.appendAll(of: files, with: appender, json: json, until: stop)
                }
            }
        }
        guard counts.refused == 0 else {
            throw CommandError(.refused, "\(Counted.text(counts.refused, "event")) refused, for the reasons above")
        }
    }

    /// - Returns: What became of the events, which has been reported too.
    private static func appendAll(
        of files: [String],
        with appender: EventAppender,
        json: Bool,
        until stop: StopSignal
    ) async throws -> EventImport.Counts {
        let bar = ProgressBar("event")
        defer { bar.finish() }
        var work = EventImport(appender: appender)
        do {
            try await work.run(files, until: stop) { counts, fraction in
                bar.show(counts.total, fraction: fraction)
            }
        } catch {
            bar.finish()
            report(work.counts, rate: bar.rate(of: work.counts.total), json: json)
            throw error
        }
        bar.finish()
        report(work.counts, rate: bar.rate(of: work.counts.total), json: json)
        return work.counts
    }

    private static func report(_ counts: EventImport.Counts, rate: String, json: Bool) {
        guard json else {
            StandardOutput.shared.line(
                "\(Counted.text(counts.stored, "event")) stored, \(Counted.grouped(counts.storedBefore)) already there, "
                    + "\(Counted.grouped(counts.refused)) refused (\(rate))"
            )
            return
        }
        JSONLine.print { line in
            line.field("stored", counts.stored)
            line.field("storedBefore", counts.storedBefore)
            line.field("refused", counts.refused)
        }
    }
}
