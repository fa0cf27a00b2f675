/// Where a declared column lies in an event: `data.turnId`, `metadata.actor`, or `data` and `metadata` whole.
package struct FieldPath: Hashable, Sendable, LosslessStringConvertible {
    /// The two JSON objects of an event.
    package enum Root: String, Sendable {
        case data, metadata
    }

    package let root: Root
    /// The names from the root's object down to the value; none for the whole object.
    package let names: [String]

    /// Reads `root.name.name…`; `nil` for anything else.
    package init?(_ description: String) {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let root = Root(rawValue: parts[0]), !parts.contains("") else { return nil }
        self.root = root
        names = Array(parts.dropFirst())
    }

    package var description: String { ([root.rawValue] + names).joined(separator: ".") }
}
