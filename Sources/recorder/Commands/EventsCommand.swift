import ArgumentParser
import EventModel
import EventStore

/// `recorder events STREAM`: what one stream holds.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Prints a stream's events in order.",
        discussion: """
            EXAMPLES
              recorder events 019cad8f-ac00-7e4e-a7b6-815d4e98868f
              recorder events 019cad8f-ac00-7e4e-a7b6-815d4e98868f --backwards --limit 5
              recorder events 019cad8f-ac00-7e4e-a7b6-815d4e98868f --from 100 --json | jq .data
              recorder events 019cad8f-ac00-7e4e-a7b6-815d4e98868f --json |
                jq -c 'del(.version, .position, .recordedAt)' | DATABASE_URL=… recorder import -
            """
    )

    @Argument(help: "The stream: a session's id, or a user's.")
    var stream: StreamID

    @Option(parsing: .unconditional, help: ArgumentHelp("The first version to print.", valueName: "version"))
    var from: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many events at most; 0 for all.", valueName: "count")
    )
    var limit = 0

    @Flag(help: "From the last event to the first.")
    var backwards = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        if let from, from < 1 { throw ValidationError("--from is a version: 1 or more.") }
        guard limit >= 0 else { throw ValidationError("--limit is 0 or more.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let direction: PostgresEventStore.Direction = backwards ? .backwards : .forwards
        let printer = EventPrinter(json: options.json)
        try await settings.withStoreUntilSignal { store in
            var next = from
            var rest = limit == 0 ? Int.max : limit
            while rest > 0 {
                let page = try await store.read(stream, from: next, direction, limit: min(rest, 1_000))
                guard let last = page.last else { break }
                printer.print(page)
                rest -= page.count
                next = last.version + (backwards ? -1 : 1)
                if next == 0 { break }
            }
            guard next != from else {
                throw CommandError(
                    .notFound,
                    "stream \(stream) holds no event"
                        + "\(from.map { " at version \($0) or \(backwards ? "before" : "beyond")" } ?? ""): check its id"
                )
            }
        }
    }
}
