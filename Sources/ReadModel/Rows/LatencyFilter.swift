public import EventModel

/// Which measurements to look at.
public struct LatencyFilter: Sendable {
    /// From the minute that contains this moment on.
    public var from: Timestamp?
    /// Before the minute that contains this moment.
    public var until: Timestamp?
    /// Only of this provider.
    public var provider: String?
    /// Only of this model.
    public var model: String?

    /// All measurements; narrow it by setting what is wanted.
    public init() {}
}
