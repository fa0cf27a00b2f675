import ArgumentParser

/// `recorder keys`: the key-encryption keys that personal fields are sealed under.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Has personal fields sealed, and looks after the keys.",
        discussion: """
            Each person has a key in the database, under which what is personal in their events is sealed. Those keys \
            are wrapped by a key-encryption key, which is kept elsewhere: in a file (--key-file, RECORDER_KEY_FILE) or in \
            RECORDER_KEYS. A file holds a key a line; the first one leads, the others still open what they wrapped.

            EXAMPLES
              recorder keys new > /etc/recorder/keys && chmod 600 /etc/recorder/keys
              recorder keys init --key-file /etc/recorder/keys
              recorder keys status
              recorder keys rotate --key-file /etc/recorder/keys
            """,
        subcommands: [
            KeysNewCommand.self, KeysInitCommand.self, KeysStatusCommand.self, KeysRotateCommand.self,
        ]
    )
}
