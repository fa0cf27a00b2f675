import ArgumentParser
import EventStore

/// `recorder keys status`: how many keys each key-encryption key has wrapped.
struct KeysStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows whether the log is sealed, under which keys, and whether they are given.",
        discussion: """
            Exit status 1 if a key that is needed is not given.

            EXAMPLES
              recorder keys status --key-file /etc/recorder/keys
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let figures = try await settings.withPool { pool in
            try await KeyAdministration(pool, keys: settings.keys).status()
        }
        if figures.isEmpty, !options.json {
            return StandardOutput.shared.line("personal fields are not sealed: `recorder keys init` begins with it")
        }
        TextTable<KeyAdministration.Figures>([
            .init("key-encryption key") { $0.encryptionKey },
            .init("leads") { $0.isLeading ? "yes" : "no" },
            .init("given") { $0.isGiven ? "yes" : "no" },
            .init("keys", .right) { Counted.grouped($0.live) },
            .init("destroyed", .right) { Counted.grouped($0.destroyed) },
        ]).print(figures, json: options.json) { line, figures in
            line.field("key", figures.encryptionKey)
            line.field("leads", figures.isLeading)
            line.field("given", figures.isGiven)
            line.field("keys", figures.live)
            line.field("destroyed", figures.destroyed)
        }
        guard let missing = figures.first(where: { !$0.isGiven && ($0.isLeading || $0.live > 0) }) else { return }
        throw CommandError(
            .refused,
            "the key-encryption key \(missing.encryptionKey) is not given: see --key-file, RECORDER_KEY_FILE and RECORDER_KEYS"
        )
    }
}
