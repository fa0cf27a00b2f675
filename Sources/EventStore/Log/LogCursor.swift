package import Postgres

/// A place in the log: says which events were delivered.
///
/// It is not a number, because positions are drawn before commits. It is the database snapshot up to which everything
/// was delivered and, while a window between two snapshots is walked in several batches, how far that walk has come.
/// Saved and restored as text.
///
/// A cursor belongs to one log in one cluster. One that has seen transactions which the database has not begun is
/// refused; otherwise the cursor alone does not show that it comes from another cluster.
public struct LogCursor: Hashable, Sendable, LosslessStringConvertible {
    /// A window that was partly delivered.
    package struct Window: Hashable, Sendable {
        /// The snapshot at the window's end.
        package let end: PostgresSnapshot
        /// The window's events up to this position were delivered.
        package let position: Int64

        package init(end: PostgresSnapshot, position: Int64) {
            self.end = end
            self.position = position
        }
    }

    /// All events that this snapshot sees were delivered.
    package let delivered: PostgresSnapshot
    /// The window that starts there, if it was partly delivered.
    package let window: Window?

    package init(delivered: PostgresSnapshot, window: Window? = nil) {
        self.delivered = delivered
        self.window = window
    }

    /// Before the first event.
    public static let beginning = LogCursor(delivered: .beginning)

    /// Whether the cursor has seen transactions that had not begun at a later moment of its database. It then belongs
    /// to another cluster, or to a later state of this one, and would silently skip events.
    ///
    /// - Parameter now: The snapshot of that moment.
    func isAhead(of now: PostgresSnapshot) -> Bool { max(delivered.xmax, window?.end.xmax ?? 0) > now.xmax }

    /// Whether everything that was delivered here was delivered at `other` too.
    ///
    /// Of two cursors of one log, one always precedes the other, unless one was moved by a reader that walks other
    /// windows.
    package func precedes(_ other: LogCursor) -> Bool {
        guard let window else { return delivered.isSubset(of: other.delivered) }
        if window.end.isSubset(of: other.delivered) { return true }
        guard delivered == other.delivered, let otherWindow = other.window else { return false }
        return window.end == otherWindow.end && window.position <= otherWindow.position
    }

    /// The text form: the snapshot and, for a partly delivered window, `/`, its end, `@` and the position.
    public var description: String {
        window.map { "\(delivered)/\($0.end)@\($0.position)" } ?? delivered.description
    }

    /// Reads the text form; `nil` for anything else.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let delivered = PostgresSnapshot(String(parts[0])) else { return nil }
        guard parts.count == 2 else {
            self.init(delivered: delivered)
            return
        }
        let ends = parts[1].split(separator: "@", omittingEmptySubsequences: false)
        guard ends.count == 2, let end = PostgresSnapshot(String(ends[0])), let position = Int64(ends[1]), position >= 0
        else { return nil }
        self.init(delivered: delivered, window: Window(end: end, position: position))
    }
}
