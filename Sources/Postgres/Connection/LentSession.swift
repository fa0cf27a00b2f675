/// The settings of a session that a pooler lends for one transaction at a time, as PgBouncer does in transaction mode.
///
/// The next transaction may get another session, or this one as another client left it. So each transaction begins with
/// the settings, and no statement is prepared by name.
struct LentSession {
    private var settings: [String: String]

    /// - Parameter settings: The settings that every transaction gets.
    init(_ settings: [String: String]) { self.settings = settings }

    /// Changes a setting, from the next transaction on.
    mutating func set(_ name: String, to value: String) { settings[name] = value }

    /// The statement that sets everything until the transaction ends.
    var opening: String { Self.statement(settings, isLocal: true) }

    /// The statement that changes settings.
    ///
    /// - Parameter isLocal: Whether the settings hold until the transaction ends, or as long as the session.
    static func statement(_ settings: [String: String], isLocal: Bool) -> String {
        let calls = settings.sorted { $0.key < $1.key }.map { setting in
            let value = setting.value.replacing("\\", with: "\\\\").replacing("'", with: "''")
            return "set_config('\(setting.key)', E'\(value)', \(isLocal))"
        }
        return "select \(calls.joined(separator: ", "))"
    }
}
