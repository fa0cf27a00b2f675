import ArgumentParser
import EventModel
import EventStore
import ServiceLifecycle

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
    var cursor: LogCursor?

    @Flag(help: "Stop when everything that is stored was printed.")
    var untilIdle = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if fromBeginning, cursor != nil { throw ValidationError("Give --from-beginning or --cursor, not both.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let (fromBeginning, given, untilIdle) = (fromBeginning, cursor, untilIdle)
        let printer = EventPrinter(json: options.json, showsStream: true)
        try await settings.withStore { store in
            let start =
                if let given { given } else if fromBeginning { LogCursor.beginning } else { try await store.head() }
            let place = Shared(start)
            let service = CommandService(isEndless: true) {
                if untilIdle {
                    try await Self.read(store, place: place, printer: printer)
                } else {
                    try await Self.follow(store, place: place, printer: printer)
                }
            }
            try await service.runUntilSignal(logger: settings.logger)
            StandardError.line("recorder: go on with --cursor '\(place.value)'")
        }
    }

    private static func read(_ store: PostgresEventStore, place: Shared<LogCursor>, printer: EventPrinter) async throws
    {
        while true {
            let batch = try await store.readLog(after: place.value)
            place.value = batch.cursor
            if batch.events.isEmpty { return }
            printer.print(batch.events)
            try StandardOutput.shared.flush()
        }
    }

    private static func follow(_ store: PostgresEventStore, place: Shared<LogCursor>, printer: EventPrinter)
        async throws
    {
        for try await batch in store.subscribe(after: place.value) {
            printer.print(batch.events)
            try StandardOutput.shared.flush()
            place.value = batch.cursor
        }
    }
}
