/// What a stream must hold for an append to succeed.
public enum ExpectedVersion: Hashable, Sendable, CustomStringConvertible {
    /// Anything, or nothing.
    case any
    /// No event. The contract's word is `none`, which Swift would take for a missing value.
    case noStream
    /// At least one event.
    case exists
    /// Exactly this many events, 0 or more.
    case exactly(Int)

    /// Whether a stream that holds `version` events is as expected.
    public func allows(version: Int) -> Bool {
        switch self {
        case .any: true
        case .noStream: version == 0
        case .exists: version > 0
        case .exactly(let expected): version == expected
        }
    }

    /// The form of the contract: `any`, `none`, `exists` or the number.
    public var description: String {
        switch self {
        case .any: "any"
        case .noStream: "none"
        case .exists: "exists"
        case .exactly(let version): String(version)
        }
    }
}
