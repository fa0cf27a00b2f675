import ArgumentParser
import PayloadCodec

/// `recorder keys new`: a key as a line of a key file.
struct KeysNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Prints a new key-encryption key as a line of a key file.",
        discussion: """
            EXAMPLES
              recorder keys new > /etc/recorder/keys && chmod 600 /etc/recorder/keys
            """
    )

    func run() throws {
        let key = LocalKeyEncryptionKey()
        StandardOutput.shared.line("\(key.base64)  # \(key.identifier)")
    }
}
