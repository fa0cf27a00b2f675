internal import Synchronization

/// The dictionaries that decoders know, by id. Many tasks may use it at once.
///
/// Dictionaries are loaded when they are first met: decoding throws `.unknownDictionary` with the id, the caller
/// fetches that dictionary, inserts it and decodes again.
package final class DictionaryStore: Sendable {
    private let known: Mutex<[PayloadDictionary?]>

    /// A store that knows these dictionaries.
    package init(_ dictionaries: [PayloadDictionary] = []) {
        var table: [PayloadDictionary?] = []
        for dictionary in dictionaries { Self.put(dictionary, into: &table) }
        known = Mutex(table)
    }

    /// Makes a dictionary known, in place of what had its id.
    package func insert(_ dictionary: PayloadDictionary) {
        known.withLock { Self.put(dictionary, into: &$0) }
    }

    /// The dictionary of that id, if it was loaded.
    package subscript(id: Int) -> PayloadDictionary? {
        known.withLock { $0.indices.contains(id) ? $0[id] : nil }
    }

    private static func put(_ dictionary: PayloadDictionary, into table: inout [PayloadDictionary?]) {
        let index = Int(dictionary.id)
        if index >= table.count { table.append(contentsOf: repeatElement(nil, count: index + 1 - table.count)) }
        table[index] = dictionary
    }
}
