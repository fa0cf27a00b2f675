package import FoundationEssentials

/// A value that can be sent as a binary parameter.
package protocol PostgresEncodable: Sendable {
    /// The type that the server sees.
    static var postgresType: PostgresType { get }
    /// Appends the binary form, without its length.
    ///
    /// - Returns: `false` if the value is NULL, in which case nothing was appended.
    @discardableResult
    func encode(into buffer: inout PostgresBuffer) -> Bool
}

/// A value that can be read from a binary result column.
package protocol PostgresDecodable: Sendable {
    /// Whether a column of this type can be read as `Self`.
    static func accepts(_ type: PostgresType) -> Bool
    /// Reads the binary form; `nil` bytes are NULL.
    ///
    /// - Returns: `nil` if the bytes do not hold such a value.
    init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType)
}

extension UnsafeRawBufferPointer {
    /// The integer in network order at a byte offset; `nil` if it does not lie within the buffer.
    func integer<T: FixedWidthInteger>(_: T.Type, at offset: Int) -> T? {
        guard offset >= 0, offset + MemoryLayout<T>.size <= count else { return nil }
        return unsafe T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

extension Bool: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .bool }
    package static func accepts(_ type: PostgresType) -> Bool { type == .bool }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(UInt8(self ? 1 : 0))
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let byte = unsafe bytes?.integer(UInt8.self, at: 0) else { return nil }
        self = byte != 0
    }
}

/// The three integer widths share their code; a wider Swift type reads a narrower column.
extension PostgresEncodable where Self: FixedWidthInteger {
    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(self)
        return true
    }
}

extension PostgresDecodable where Self: FixedWidthInteger {
    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes else { return nil }
        switch bytes.count {
        case 2: self.init(exactly: unsafe bytes.integer(Int16.self, at: 0) ?? 0)
        case 4: self.init(exactly: unsafe bytes.integer(Int32.self, at: 0) ?? 0)
        case 8: self.init(exactly: unsafe bytes.integer(Int64.self, at: 0) ?? 0)
        default: return nil
        }
    }
}

extension Int16: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .int2 }
    package static func accepts(_ type: PostgresType) -> Bool { type == .int2 }
}

extension Int32: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .int4 }
    package static func accepts(_ type: PostgresType) -> Bool { type == .int4 || type == .int2 }
}

extension Int64: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .int8 }
    package static func accepts(_ type: PostgresType) -> Bool { type == .int8 || type == .int4 || type == .int2 }
}

extension Int: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .int8 }
    package static func accepts(_ type: PostgresType) -> Bool { Int64.accepts(type) }
}

extension Float: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .float4 }
    package static func accepts(_ type: PostgresType) -> Bool { type == .float4 }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(bitPattern)
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bits = unsafe bytes?.integer(UInt32.self, at: 0) else { return nil }
        self.init(bitPattern: bits)
    }
}

extension Double: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .float8 }
    package static func accepts(_ type: PostgresType) -> Bool { type == .float8 || type == .float4 }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(bitPattern)
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        if type == .float4 {
            guard let single = unsafe Float(postgres: bytes, type: type) else { return nil }
            self.init(single)
        } else {
            guard let bits = unsafe bytes?.integer(UInt64.self, at: 0) else { return nil }
            self.init(bitPattern: bits)
        }
    }
}

extension String: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .text }

    package static func accepts(_ type: PostgresType) -> Bool {
        [.text, .varchar, .bpchar, .name, .unknown].contains(type)
    }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(bytes: utf8)
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes else { return nil }
        unsafe self.init(decoding: bytes, as: UTF8.self)
    }
}

extension UUID: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .uuid }
    package static func accepts(_ type: PostgresType) -> Bool { type == .uuid }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        unsafe withUnsafeBytes(of: uuid) { unsafe buffer.append(bytes: $0) }
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes, bytes.count == 16 else { return nil }
        self.init(uuid: unsafe bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: PostgresType { Wrapped.postgresType }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        guard let self else { return false }
        return self.encode(into: &buffer)
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { Wrapped.accepts(type) }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes else {
            self = Optional.none
            return
        }
        guard let value = unsafe Wrapped(postgres: bytes, type: type) else { return nil }
        self = Optional.some(value)
    }
}
