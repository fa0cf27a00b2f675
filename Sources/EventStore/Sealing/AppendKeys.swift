internal import EventModel

/// The personal fields of appends to a sealed log, and the keys that seal them.
struct AppendKeys: Sendable {
    /// Which fields are personal; `nil` if no append got a key.
    let fields: PersonalFields?
    private let keys: [SealingKey?]
    private let failures: [(any Error)?]

    /// - Parameters:
    ///   - fields: Which fields are personal.
    ///   - keys: A key for each append; `nil` for one that holds nothing personal.
    init(fields: PersonalFields, _ keys: [SealingKey?]) {
        (self.fields, self.keys, failures) = (fields, keys, [])
    }

    /// - Parameter failures: For each append, why it has no key.
    init(failures: [any Error]) {
        (fields, keys, self.failures) = (nil, Array(repeating: nil, count: failures.count), failures)
    }

    /// Joins the results of several look-ups, in order.
    init(_ looks: [AppendKeys]) {
        fields = looks.lazy.compactMap(\.fields).first
        keys = looks.flatMap(\.keys)
        failures = looks.flatMap { $0.failures.isEmpty ? $0.keys.map { _ in nil } : $0.failures }
    }

    /// The key of one of the appends, by its index.
    func key(at index: Int) throws -> SealingKey? {
        if !failures.isEmpty, let failure = failures[index] { throw failure }
        return keys[index]
    }
}
