/// Whether soft-deleted rows are seen.
public enum DeletedRows: Sendable {
    /// As if they were not there.
    case hidden
    /// Like the others.
    case included
    /// Only deleted rows.
    case only
}
