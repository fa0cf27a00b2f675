import ArgumentParser
import EventModel
import EventStore
import ServiceLifecycle
import Synchronization

/// `recorder tail`: follows the log.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Prints events of all streams as they are stored.",
        discussion: """
            Begins at the head unless told otherwise. At the end (Ctrl-C, or --until-idle) it says on standard error \
            with which --cursor the next call goes on: nothing is left out and nothing comes twice.

            EXAMPLES
              recorder tail
              recorder tail --from-beginning --until-idle --json > log.jsonl
              recorder tail --cursor 742:742:
            """
    )

    @Flag(help: "Begin with the log's first event.")
    var fromBeginning = false

    @Option(help: ArgumentHelp("Begin where an earlier call ended.", valueName: "text"))
    var cursor: TailCursor?

    @Flag(help: "Stop when everything that is stored was printed.")
    var untilIdle = false

    @Flag(help: "Tell on standard error of events that cannot be decoded, and go on; the exit status is 1 then.")
    var passUnreadable = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if fromBeginning, cursor != nil { throw ValidationError("Give --from-beginning or --cursor, not both.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let (fromBeginning, given, untilIdle, passes) = (fromBeginning, cursor, untilIdle, passUnreadable)
        let unreadable = Mutex(0)
        let printer = EventPrinter(json: options.json, showsStream: true)
        try await settings.withStore { store in
            if let given { try await Self.refuseStrange(given, to: store) }
            let start =
                if let given { given } else { TailCursor(fromBeginning ? .beginning : try await store.head()) }
            let reached = Mutex(start)
            let service = CommandService {
                func show(_ batch: LogBatch) throws {
                    printer.print(batch.events)
                    for event in batch.unreadable { StandardError.line("recorder: \(event.error)") }
                    unreadable.withLock { $0 += batch.unreadable.count }
                    try StandardOutput.shared.flush()
                    reached.withLock { $0 = TailCursor(batch, after: $0) }
                }
                guard untilIdle else {
                    for try await batch in store.subscribe(after: start.place, passesUnreadable: passes) {
                        try show(batch)
                    }
                    return
                }
                var place = start.place
                while case let batch = try await store.readLog(after: place, passesUnreadable: passes) {
                    try show(batch)
                    if batch.isEmpty { return }
                    place = batch.cursor
                }
            }
            // Also after a failure, such as an event that cannot be decoded.
            defer { StandardError.line("recorder: go on with --cursor '\(reached.withLock { $0 })'") }
            try await service.runUntilSignal(logger: settings.logger)
        }
        if unreadable.withLock({ $0 > 0 }) { throw ExitCode.failure }
    }

    /// Refuses a cursor that was printed after an event that the log lacks: it would silently skip others.
    private static func refuseStrange(_ cursor: TailCursor, to store: PostgresEventStore) async throws {
        guard let last = cursor.last else { return }
        guard try await store.holds(last.id, at: last.version, of: last.stream) else {
            throw CommandError(
                .input,
                "--cursor '\(cursor)' was printed behind event \(last.id), which is not in this log: it is of another cluster, the "
                    + "log was taken back to an earlier state, or its retention has removed the event. Begin at the head or with "
                    + "--from-beginning, and reconcile by version"
            )
        }
    }
}
