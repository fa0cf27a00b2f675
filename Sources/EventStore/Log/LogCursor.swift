package import Postgres

/// A place in the log: which events were delivered.
///
/// Not a number, because numbers are given before commits: it is the snapshot of the database up to
/// which everything was delivered, and, while a window between two snapshots is walked in several
/// batches, how far. Saved and restored as text.
///
/// It is of one log in one cluster. One that has seen transactions which the database has not begun is refused; what
/// else is of another cluster cannot be told from the cursor alone.
public struct LogCursor: Hashable, Sendable, LosslessStringConvertible {
    /// A window that is delivered in part.
    package struct Window: Hashable, Sendable {
        /// The snapshot that ends it.
        package let end: PostgresSnapshot
        /// Its events up to this position were delivered.
        package let position: Int64

        package init(end: PostgresSnapshot, position: Int64) {
            self.end = end
            self.position = position
        }
    }

    /// All events that this snapshot sees were delivered.
    package let delivered: PostgresSnapshot
    /// The window that begins there, if a part of it was delivered.
    package let window: Window?

    package init(delivered: PostgresSnapshot, window: Window? = nil) {
        self.delivered = delivered
        self.window = window
    }

    /// Before the first event.
    public static let beginning = LogCursor(delivered: .beginning)

    /// Whether it has seen transactions that had not begun at a later moment of its database: it is of another cluster
    /// then, or of a later state of this one, and would pass over events without a word.
    ///
    /// - Parameter now: The snapshot of that moment.
    func isAhead(of now: PostgresSnapshot) -> Bool { max(delivered.xmax, window?.end.xmax ?? 0) > now.xmax }

    /// The text form: the snapshot, and for a window in part `/` its end `@` the position.
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
