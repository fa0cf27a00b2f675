internal import EventModel

/// The personal fields of appends to a sealed log, and the keys that seal them.
struct AppendKeys: Sendable {
    /// Which fields are personal; `nil` if it could not be found out.
    let fields: PersonalFields?
    private let keys: [SealingKey?]
    private let failures: [Int: any Error]

    /// - Parameters:
    ///   - fields: Which fields are personal.
    ///   - keys: A key for each append; `nil` for one that holds nothing personal, or has a failure.
    ///   - failures: Why appends have no key that need one, by their indices.
    init(fields: PersonalFields, _ keys: [SealingKey?], failures: [Int: any Error] = [:]) {
        (self.fields, self.keys, self.failures) = (fields, keys, failures)
    }

    /// The same failure for all of some appends.
    init(_ failure: any Error, for count: Int) {
        fields = nil
        keys = Array(repeating: nil, count: count)
        failures = Dictionary(uniqueKeysWithValues: keys.indices.map { ($0, failure) })
    }

    /// The key of one of the appends, by its index.
    func key(at index: Int) throws -> SealingKey? {
        if !failures.isEmpty, let failure = failures[index] { throw failure }
        return keys[index]
    }
}
