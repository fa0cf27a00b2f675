import ArgumentParser

/// Names of those who erase, export, hold and release, as the tables take them.
enum ActorName {
    /// Reads a name.
    ///
    /// - Throws: `ValidationError` if the tables would refuse it.
    static func read(_ text: String) throws -> String {
        guard (1...200).contains(text.utf8.count) else { throw ValidationError("A name has 1 to 200 bytes.") }
        return text
    }
}
