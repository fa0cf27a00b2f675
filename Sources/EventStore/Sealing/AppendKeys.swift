internal import EventModel

/// What in appends to a sealed log is personal, and under whose keys it is sealed.
struct AppendKeys: Sendable {
    /// What is personal; `nil` if no append got a key.
    let fields: PersonalFields?
    private let keys: [SealingKey?]
    private let failures: [(any Error)?]

    /// - Parameters:
    ///   - fields: What is personal.
    ///   - keys: For each append a key; `nil` for one in which nothing is personal.
    init(fields: PersonalFields, _ keys: [SealingKey?]) {
        (self.fields, self.keys, failures) = (fields, keys, [])
    }

    /// - Parameter failures: Why there is no key for each append.
    init(failures: [any Error]) {
        (fields, keys, self.failures) = (nil, Array(repeating: nil, count: failures.count), failures)
    }

    /// Those of several looks, one after the other.
    init(_ looks: [AppendKeys]) {
        fields = looks.lazy.compactMap(\.fields).first
        keys = looks.flatMap(\.keys)
        failures = looks.flatMap { $0.failures.isEmpty ? $0.keys.map { _ in nil } : $0.failures }
    }

    /// The key of one of the appends, by its place among them.
    func key(at index: Int) throws -> SealingKey? {
        if !failures.isEmpty, let failure = failures[index] { throw failure }
        return keys[index]
    }
}
