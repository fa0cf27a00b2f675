internal import FoundationEssentials

/// The channel on which the database says what has changed, and a process checks whether it still hears that.
///
/// Channels belong to a whole database, so a schema's channel begins with the schema's name.
enum CacheChannel {
    /// What a notification says.
    enum Message: Equatable {
        /// Values became stale: of one kind or of all, of one user or of all.
        case dropped(CacheKind?, user: UUID?)
        /// A process checks whether it hears, or how far it has heard.
        case check(UUID)
        /// Something that this program does not know, so everything may have changed.
        case unknown
    }

    /// The channel of a schema.
    static func name(schema: String) -> String { schema + "_cache" }

    /// The payload with which a process checks whether it hears.
    static func check(_ id: UUID) -> String { "check \(id.uuidString)" }

    /// Reads what `clear_cache` sends, or ``check(_:)``.
    static func read(_ payload: String) -> Message {
        let words = payload.split(separator: " ").map(String.init)
        guard words.count == 2 else { return .unknown }
        if words[0] == "check", let id = UUID(uuidString: words[1]) { return .check(id) }
        let (kind, user) = (CacheKind(rawValue: words[0]), UUID(uuidString: words[1]))
        guard kind != nil || words[0] == "*", user != nil || words[1] == "*" else { return .unknown }
        return .dropped(kind, user: user)
    }
}
