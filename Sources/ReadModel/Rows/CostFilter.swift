public import EventModel

/// Which costs to sum.
public struct CostFilter: Sendable {
    /// Only this session's.
    public var session: StreamID?
    /// Only this user's.
    public var user: StreamID?
    /// Only from this day on, UTC.
    public var from: Timestamp?
    /// Only before this day, UTC.
    public var until: Timestamp?
    /// Only of this stage.
    public var stage: TurnStage?
    /// Only of this provider.
    public var provider: String?
    /// Only of this model.
    public var model: String?

    /// All costs; narrow it by setting what is wanted.
    public init() {}
}
