import ArgumentParser
import PayloadCodec

/// `recorder keys new`: makes a key, as a line of a key file.
struct KeysNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Prints a new key-encryption key as a line of a key file.",
        discussion: """
            EXAMPLES
              recorder keys new > /etc/recorder/keys && chmod 600 /etc/recorder/keys
              recorder keys new --json
            """
    )

    @Flag(help: "Print a line of JSON.")
    var json = false

    func run() throws {
        let key = LocalKeyEncryptionKey()
        if json {
            JSONLine.print { line in
                line.field("key", key.base64)
                line.field("identifier", key.identifier)
            }
        } else {
            StandardOutput.shared.line(key.line)
        }
    }
}
