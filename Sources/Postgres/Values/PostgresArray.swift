/// Arrays of one dimension, as `array_send` and `array_recv` write them.
///
/// Source: PostgreSQL's `src/backend/utils/adt/arrayfuncs.c`.
extension Array: PostgresEncodable where Element: PostgresEncodable {
    package static var postgresType: PostgresType { Element.postgresType.array }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(Int32(isEmpty ? 0 : 1))
        // The server looks for NULLs itself; this flag is only a hint.
        buffer.append(Int32(1))
        buffer.append(Element.postgresType.rawValue)
        guard !isEmpty else { return true }
        buffer.append(Int32(count))
        buffer.append(Int32(1))
        for element in self { buffer.append(field: element) }
        return true
    }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool {
        guard let element = type.element else { return false }
        return Element.accepts(element)
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes, let dimensions = unsafe bytes.integer(Int32.self, at: 0),
            let elementType = unsafe bytes.integer(UInt32.self, at: 8).map(PostgresType.init(rawValue:))
        else { return nil }
        guard dimensions > 0 else {
            self = []
            return
        }
        guard dimensions == 1, let count = unsafe bytes.integer(Int32.self, at: 12), count >= 0 else { return nil }
        self = []
        reserveCapacity(Int(count))
        var offset = 20
        for _ in 0..<count {
            guard let length = unsafe bytes.integer(Int32.self, at: offset) else { return nil }
            offset += 4
            guard offset + Swift.max(0, Int(length)) <= bytes.count else { return nil }
            let end = offset + Swift.max(0, Int(length))
            let field = length < 0 ? nil : unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
            guard let element = unsafe Element(postgres: field, type: elementType) else { return nil }
            append(element)
            offset = end
        }
    }
}
