import ArgumentParser
import EventModel
import EventStore
import Privacy

/// `recorder subject export USER`: everything that is held about a person.
struct SubjectExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes everything that is held about a person into a folder, with a manifest.",
        discussion: """
            Rows and events are lines of JSON, a file for each table; objects are files. manifest.json says of each file \
            how many lines and bytes it has, and its SHA-256. The export is recorded: access.exported.

            EXAMPLES
              recorder subject export 019cad8f-ac00-7e4e-a7b6-815d4e98868f --to ada
            """
    )

    @Argument(help: "The user's id, a UUID.")
    var user: StreamID

    @Option(help: ArgumentHelp("The folder to make.", valueName: "folder"), completion: .directory)
    var to: String

    @Option(help: ArgumentHelp("Who exports; stands in the event and the manifest.", valueName: "name"))
    var actor = "recorder subject export"

    @OptionGroup var objects: ObjectStoreOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        try ActorName.check(actor)
        guard to.contains(where: { $0 != "/" }) else { throw ValidationError("--to names a folder to make.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let (user, actor, folder) = (user, actor, to)
        let objects = try settings.objects.store(objects)
        let manifest = try await settings.withPool { pool in
            try await settings.withStore { store in
                let export = SubjectExport(of: user, actor: actor, pool: pool, store: store, objects: objects)
                return try await export.write(to: folder)
            }
        }
        guard !options.json else { return StandardOutput.shared.line(manifest.json) }
        TextTable<ExportManifest.Entry>([
            .init("file") { $0.file },
            .init("rows", .right) { $0.rows.map { Counted.grouped($0) } },
            .init("bytes", .right) { Counted.grouped($0.bytes) },
            .init("sha256") { String($0.sha256.prefix(16)) },
        ]).print(manifest.entries)
        StandardOutput.shared.line("written to \(folder)")
    }
}
