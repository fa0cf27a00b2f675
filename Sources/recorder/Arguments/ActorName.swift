import ArgumentParser

/// Checks the names of those who erase, export, hold and release, as the tables do.
enum ActorName {
    /// Refuses a name that the tables would refuse.
    static func check(_ name: String) throws {
        guard (1...200).contains(name.utf8.count) else { throw ValidationError("--actor has 1 to 200 bytes.") }
    }
}
