import ArgumentParser
import EventStore
import PayloadCodec

/// `recorder keys init`: seals personal fields from now on.
struct KeysInitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Has personal fields sealed from now on, under the first key that is given.",
        discussion: """
            Every writer of this log needs the key from then on: one without it is refused when an event carries \
            personal fields, and so are SQL clients. Writers learn of it within a second. What was stored before stays \
            readable without a key, also after an erasure: begin with an empty log if you can.

            EXAMPLES
              recorder keys init --key-file /etc/recorder/keys
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let outcome = try await settings.withPool { pool in
            try await KeyAdministration(pool, keys: settings.keys).initialise()
        }
        let key = settings.keys.keys.first?.identifier
        if options.json {
            JSONLine.print { line in
                line.field("key", key)
                line.field("sealedBefore", outcome == .before)
                line.field("hasEventsBefore", outcome == .sealed(hasEventsBefore: true))
            }
            return
        }
        StandardOutput.shared.line(
            outcome == .before
                ? "personal fields are sealed already, under \(key ?? "")"
                : "personal fields are sealed from now on, under \(key ?? "")"
        )
        if outcome == .sealed(hasEventsBefore: true) {
            StandardError.line("recorder: events that were stored before are not sealed, and cannot be erased")
        }
    }
}
