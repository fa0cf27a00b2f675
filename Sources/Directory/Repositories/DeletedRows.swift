/// Whether rows that were deleted softly are seen.
public enum DeletedRows: Sendable {
    /// As if they were not there.
    case hidden
    /// Like the others.
    case included
    /// Nothing but them.
    case only
}
