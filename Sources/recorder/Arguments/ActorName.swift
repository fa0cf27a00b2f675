import ArgumentParser

/// Names of those who erase, export, hold and release, as the tables take them.
enum ActorName {
    /// Refuses what the tables would.
    static func check(_ name: String) throws {
        guard (1...200).contains(name.utf8.count) else { throw ValidationError("--actor has 1 to 200 bytes.") }
    }
}
