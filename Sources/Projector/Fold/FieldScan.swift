internal import EventModel
internal import Postgres
internal import Schema

/// The fields that a set of projections wants of an event, taken from its JSON in one forward scan.
///
/// Each field is encoded once, however many projections declare it.
struct FieldScan {
    /// A field that is wanted.
    struct Field: Hashable {
        let path: FieldPath
        let type: FieldType
    }

    /// What the scan found in one event: each field's length and binary form, in one buffer.
    struct Values {
        private(set) var bytes = PostgresBuffer()
        /// Where each field's bytes begin and end; an empty range is NULL.
        private var ranges: [(start: Int32, end: Int32)]
        /// The fields whose value does not fit their type.
        private(set) var misfits: [Int] = []

        init(count: Int) { ranges = Array(repeating: (0, 0), count: count) }

        /// How many fields there are.
        var count: Int { ranges.count }

        /// The field's length and binary form; `nil` for NULL.
        func range(of field: Int) -> Range<Int>? {
            let (start, end) = ranges[field]
            return end > start ? Int(start)..<Int(end) : nil
        }

        fileprivate mutating func set(_ field: Int, to value: JSONSlice, type: FieldType, in json: Span<UInt8>) {
            let start = bytes.count
            if !misfits.isEmpty { misfits.removeAll { $0 == field } }
            guard type.append(value, in: json, to: &bytes) else { return misfits.append(field) }
            // Of two members with the same name the last counts, as for every reader of JSON.
            ranges[field] = (Int32(start), Int32(bytes.count))
        }

        fileprivate mutating func reset() {
            bytes.removeAll()
            for index in ranges.indices { ranges[index] = (0, 0) }
            if !misfits.isEmpty { misfits.removeAll(keepingCapacity: true) }
        }
    }

    /// Which of the fields to look for in an event: those of the projections that take it.
    struct Wanted: Sendable {
        fileprivate let fields: [Bool]
        /// Whether any of them lies in `data`, and in `metadata`.
        fileprivate let roots: [Bool]
    }

    /// The name of an object's member that leads to fields: compared by its length and its first eight bytes, then by
    /// the rest.
    private struct Name {
        let bytes: [UInt8]
        let length: Int
        let prefix: UInt64
        /// The fields that are its value.
        var fields: [Int] = []
        /// The index in ``objects`` of the names to look for inside its value, if there are any.
        var object: Int?

        init(_ name: String) {
            let bytes = Array(name.utf8)
            prefix = FieldScan.prefix(of: bytes.span, in: 0..<bytes.count)
            self.bytes = bytes
            length = bytes.count
        }
    }

    let fields: [Field]
    /// The names to look for in each object: first in `data`, then in `metadata`, then in the objects inside them.
    private var objects: [[Name]] = [[], []]
    /// The fields that are `data` or `metadata` whole.
    private var whole: [[Int]] = [[], []]

    /// - Parameter fields: Each field once.
    init(_ fields: [Field]) {
        self.fields = fields
        for (index, field) in fields.enumerated() {
            let root = field.path.root == .data ? 0 : 1
            if field.path.names.isEmpty { whole[root].append(index) }
            insert(index, field.path.names[...], into: root)
        }
    }

    /// Says which fields to look for.
    ///
    /// - Parameter indices: Indices into ``fields``.
    func wanted(_ indices: some Sequence<Int>) -> Wanted {
        var isWanted = [Bool](repeating: false, count: fields.count)
        var roots = [false, false]
        for index in indices {
            isWanted[index] = true
            roots[fields[index].path.root == .data ? 0 : 1] = true
        }
        return Wanted(fields: isWanted, roots: roots)
    }

    private mutating func insert(_ field: Int, _ names: ArraySlice<String>, into object: Int) {
        guard let name = names.first else { return }
        let index =
            objects[object].firstIndex { $0.bytes.elementsEqual(name.utf8) }
            ?? {
                objects[object].append(Name(name))
                return objects[object].count - 1
            }()
        guard names.count > 1 else { return objects[object][index].fields.append(field) }
        let inner =
            objects[object][index].object
            ?? {
                objects.append([])
                objects[object][index].object = objects.count - 1
                return objects.count - 1
            }()
        insert(field, names.dropFirst(), into: inner)
    }

    /// The first eight bytes of a name, zeros where it is shorter.
    private static func prefix(of bytes: Span<UInt8>, in range: Range<Int>) -> UInt64 {
        var prefix: UInt64 = 0
        for index in range.prefix(8) { prefix = prefix << 8 | UInt64(bytes[index]) }
        return prefix
    }

    /// Scans one event's JSON.
    ///
    /// - Parameters:
    ///   - json: A buffer that holds both objects.
    ///   - dataRange: Where `data` lies in it.
    ///   - metadataRange: Where `metadata` lies in it.
    ///   - wanted: Which fields to look for; the others are NULL.
    ///   - values: Receives what is found, in place of what it held.
    /// - Throws: `JSONFault` if what was stored is not JSON.
    func scan(
        _ json: Span<UInt8>,
        data dataRange: Range<Int>,
        metadata metadataRange: Range<Int>,
        for wanted: Wanted,
        into values: inout Values
    ) throws(JSONFault) {
        values.reset()
        for (root, range) in [dataRange, metadataRange].enumerated() where wanted.roots[root] {
            for field in whole[root] where wanted.fields[field] {
                let slice = JSONSlice(kind: .object, range: range)
                values.set(field, to: slice, type: fields[field].type, in: json)
            }
            try scan(json, range, object: root, for: wanted, into: &values)
        }
    }

    private func scan(
        _ json: Span<UInt8>,
        _ range: Range<Int>,
        object: Int,
        for wanted: Wanted,
        into values: inout Values
    ) throws(JSONFault) {
        guard !objects[object].isEmpty else { return }
        var members = JSONMembers(of: json, in: range, trusted: true)
        while let member = try members.next(in: json) {
            guard let name = index(of: member.key, in: json, object: object) else { continue }
            for field in objects[object][name].fields where wanted.fields[field] {
                values.set(field, to: member.value, type: fields[field].type, in: json)
            }
            if let inner = objects[object][name].object, member.value.kind == .object {
                try scan(json, member.value.range, object: inner, for: wanted, into: &values)
            }
        }
    }

    /// Which of an object's wanted names a member has.
    private func index(of key: JSONSlice, in json: Span<UInt8>, object: Int) -> Int? {
        if key.hasEscapes { return objects[object].firstIndex { key.equals($0.bytes, in: json) } }
        let length = key.content.count
        let prefix = Self.prefix(of: json, in: key.content)
        return objects[object].firstIndex {
            $0.prefix == prefix && $0.length == length && (length <= 8 || key.equals($0.bytes, in: json))
        }
    }
}
