internal import Synchronization

/// The dictionaries that decoders know, by id. Many tasks may use it at once.
///
/// Dictionaries are loaded when first needed: decoding throws `.unknownDictionary` with the id, the caller
/// fetches that dictionary, inserts it and decodes again.
package final class DictionaryStore: Sendable {
    private let known: Mutex<[PayloadDictionary?]>

    /// Creates a store that knows these dictionaries.
    package init(_ dictionaries: [PayloadDictionary] = []) {
        var table: [PayloadDictionary?] = []
        for dictionary in dictionaries { Self.put(dictionary, into: &table) }
        known = Mutex(table)
    }

    /// Adds a dictionary, replacing one with the same id.
    package func insert(_ dictionary: PayloadDictionary) {
        known.withLock { Self.put(dictionary, into: &$0) }
    }

    /// The dictionary with an id, if it was loaded.
    package subscript(id: Int) -> PayloadDictionary? {
        known.withLock { $0.indices.contains(id) ? $0[id] : nil }
    }

    private static func put(_ dictionary: PayloadDictionary, into table: inout [PayloadDictionary?]) {
        let index = Int(dictionary.id)
        if index >= table.count { table.append(contentsOf: repeatElement(nil, count: index + 1 - table.count)) }
        table[index] = dictionary
    }
}
