internal import EventModel
internal import Postgres

/// The fields that a set of projections wants of an event, taken from its JSON in one forward scan.
///
/// Each field is encoded once, however many projections declare it.
struct FieldScan {
    /// A field that is wanted.
    struct Field: Hashable {
        let path: FieldPath
        let type: FieldType
    }

    /// What the scan found of one event: each field's binary form behind its length, in one buffer.
    struct Values {
        private(set) var bytes = PostgresBuffer()
        private var ranges: [Range<Int>?]
        /// The fields whose value does not fit their type.
        private(set) var misfits: [Int] = []

        init(count: Int) { ranges = Array(repeating: nil, count: count) }

        /// The field's length and binary form; `nil` for NULL.
        func range(of field: Int) -> Range<Int>? { ranges[field] }

        fileprivate mutating func set(_ field: Int, to value: JSONSlice, type: FieldType, in json: Span<UInt8>) {
            let start = bytes.count
            misfits.removeAll { $0 == field }
            guard type.append(value, in: json, to: &bytes) else { return misfits.append(field) }
            // The last of two members of one name counts, as for every reader of JSON.
            ranges[field] = start..<bytes.count
        }

        fileprivate mutating func reset() {
            bytes.removeAll()
            for index in ranges.indices { ranges[index] = nil }
            misfits.removeAll(keepingCapacity: true)
        }
    }

    /// A name inside an object, the fields that are its value, and the names inside that.
    private struct Node {
        let name: [UInt8]
        var fields: [Int] = []
        var children: [Node] = []
    }

    let fields: [Field]
    private var data = Node(name: [])
    private var metadata = Node(name: [])

    /// - Parameter fields: Each field once.
    init(_ fields: [Field]) {
        self.fields = fields
        for (index, field) in fields.enumerated() {
            switch field.path.root {
            case .data: Self.insert(index, field.path.names[...], into: &data)
            case .metadata: Self.insert(index, field.path.names[...], into: &metadata)
            }
        }
    }

    private static func insert(_ field: Int, _ names: ArraySlice<String>, into node: inout Node) {
        guard let name = names.first.map({ Array($0.utf8) }) else { return node.fields.append(field) }
        let index =
            node.children.firstIndex { $0.name == name }
            ?? {
                node.children.append(Node(name: name))
                return node.children.count - 1
            }()
        insert(field, names.dropFirst(), into: &node.children[index])
    }

    /// Scans one event's JSON.
    ///
    /// - Parameters:
    ///   - json: A buffer that holds both objects.
    ///   - dataRange: Where `data` lies in it.
    ///   - metadataRange: Where `metadata` lies in it.
    ///   - values: Gets what is found; what it held is gone.
    /// - Throws: `JSONFault` if what was stored is not JSON.
    func scan(
        _ json: Span<UInt8>,
        data dataRange: Range<Int>,
        metadata metadataRange: Range<Int>,
        into values: inout Values
    ) throws(JSONFault) {
        values.reset()
        try scan(json, dataRange, node: data, into: &values)
        try scan(json, metadataRange, node: metadata, into: &values)
    }

    private func scan(
        _ json: Span<UInt8>,
        _ range: Range<Int>,
        node: Node,
        into values: inout Values
    ) throws(JSONFault) {
        for field in node.fields {
            let whole = JSONSlice(kind: .object, range: range)
            values.set(field, to: whole, type: fields[field].type, in: json)
        }
        guard !node.children.isEmpty else { return }
        var members = JSONMembers(of: json, in: range, trusted: true)
        while let member = try members.next(in: json) {
            for child in node.children where member.key.equals(child.name, in: json) {
                for field in child.fields { values.set(field, to: member.value, type: fields[field].type, in: json) }
                if !child.children.isEmpty, member.value.kind == .object {
                    let inner = Node(name: child.name, children: child.children)
                    try scan(json, member.value.range, node: inner, into: &values)
                }
            }
        }
    }
}
