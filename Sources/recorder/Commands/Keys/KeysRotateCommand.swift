import ArgumentParser
import EventStore
import PayloadCodec

/// `recorder keys rotate`: lets another key-encryption key lead.
struct KeysRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Has the first key that is given wrap all subjects' keys; no event is touched.",
        discussion: """
            Put the new key on the first line of the key file of every process, above the old one; then rotate. Take the \
            old one out when `recorder keys status` counts no key under it any more.

            EXAMPLES
              recorder keys rotate --key-file /etc/recorder/keys
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let wrapped = try await settings.withPool { pool in
            try await KeyAdministration(pool, keys: settings.keys).rotate()
        }
        if options.json {
            JSONLine.print { line in
                line.field("key", settings.keys.keys.first?.identifier)
                line.field("wrapped", wrapped)
            }
        } else {
            StandardOutput.shared.line(
                "\(settings.keys.keys.first?.identifier ?? "") leads; \(Counted.text(wrapped, "key")) wrapped anew"
            )
        }
    }
}
