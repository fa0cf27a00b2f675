public import EventModel

/// Which measurements to look at.
public struct LatencyFilter: Sendable {
    /// From the minute on in which this lies.
    public var from: Timestamp?
    /// Before the minute in which this lies.
    public var until: Timestamp?
    /// Only of this provider.
    public var provider: String?
    /// Only of this model.
    public var model: String?

    /// All measurements; narrow it by setting what is wanted.
    public init() {}
}
