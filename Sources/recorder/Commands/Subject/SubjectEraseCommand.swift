import ArgumentParser
import EventModel
import EventStore
import Glibc
import Logging
import Privacy
import Schema

/// `recorder subject erase USER`: erases what is personal.
struct SubjectEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Destroys a person's keys and blanks what is personal; counts, costs and latencies stay.",
        discussion: """
            Destroys the keys of the user and of the user's sessions, blanks the row, models, documents, read models, \
            caches and objects, appends user.erased, and prints a certificate, which is kept in the table erasures. It \
            cannot be undone. Cut off, it goes on when it is run again, or at the next `recorder retention run`. A user \
            under a legal hold is refused, and so is an id of which nothing is known, unless --unknown says that it is \
            right: then what comes of it later is stored without its personal values.

            --scrub rewrites the tables (VACUUM FULL), so that no file of the database holds what was overwritten; each \
            is locked while it is written. The write-ahead log and backups hold it until they are recycled. See the \
            README, "Privacy".

            Exit status 1 if events remain that cannot be erased: those from before the log was sealed.

            EXAMPLES
              recorder subject erase 019cad8f-ac00-7e4e-a7b6-815d4e98868f
              recorder subject erase 019cad8f-ac00-7e4e-a7b6-815d4e98868f --yes --scrub > certificate.json
            """
    )

    @Argument(help: "The user's id, a UUID.")
    var user: StreamID

    @Flag(help: "Do not ask.")
    var yes = false

    @Flag(help: "Also if nothing is known of the user.")
    var unknown = false

    @Flag(help: "Rewrite the tables afterwards.")
    var scrub = false

    @Option(help: ArgumentHelp("Who erases; stands in the events and the certificate.", valueName: "name"))
    var actor = "recorder subject erase"

    @OptionGroup var objects: ObjectStoreOptions
    @OptionGroup var projectionSource: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws { try ActorName.check(actor) }

    func run() async throws {
        let settings = try await options.settings()
        guard yes || confirmed() else { throw CommandError(.refused, "nothing was erased") }
        let files = try projectionSource.source.files()
        let (user, actor, unknown) = (user, actor, unknown)
        let objects = try settings.objects.store(objects)
        if objects == nil {
            StandardError.line(
                "recorder: no object store was given (--objects), so none was searched for objects of this person"
            )
        }
        let certificate = try await settings.withPool { pool in
            try await settings.withStore { store in
                try await settings.erasure(of: user, by: actor, pool, store, projections: files, objects: objects)
                    .run(evenIfUnknown: unknown)
            }
        }
        // First of all: what is erased stays so, whatever comes after.
        StandardOutput.shared.line(certificate.json)
        try StandardOutput.shared.flush()
        if scrub { try await rewriteTables(of: files, settings) }
        if !certificate.logIsSealed {
            StandardError.line(
                "recorder: this log has no keys: what is appended of this person later is stored with its personal values; "
                    + "see `recorder keys init`"
            )
        }
        guard certificate.remaining == 0 else {
            throw CommandError(
                .refused,
                "\(Counted.text(certificate.remaining, "event")) of this person cannot be erased: they hold personal values "
                    + "that were stored before the log was sealed, or under another's key"
            )
        }
    }

    private func rewriteTables(of files: [ProjectionFiles], _ settings: Settings) async throws {
        do {
            try await settings.withPool { pool in
                try await Scrub(pool, schema: settings.schema, projections: files).run { table in
                    settings.logger.info("rewriting \(table)")
                }
            }
        } catch {
            throw CommandError(
                .refused,
                "the person is erased, as the certificate says, but not all tables were rewritten: \(error)",
                cause: error
            )
        }
    }

    /// Asks for the user's id as confirmation; `false` if there is nobody to ask.
    private func confirmed() -> Bool {
        guard isatty(STDIN_FILENO) == 1 else {
            StandardError.line("recorder: --yes is missing, and there is nobody to ask")
            return false
        }
        StandardError.write("Erase everything personal of \(user)? It cannot be undone. Type the user's id: ")
        return readLine().flatMap { StreamID($0) } == user
    }
}
