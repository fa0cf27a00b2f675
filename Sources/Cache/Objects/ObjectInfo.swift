/// What a store says about an object.
public struct ObjectInfo: Sendable, Hashable {
    /// Its name.
    public let name: ObjectName
    /// How many bytes it has.
    public let size: Int
    /// The SHA-256 of its bytes, 64 hexadecimal digits; `nil` if something else stored it.
    public let checksum: String?
}
