/// A growing buffer of network-order values.
package struct PostgresBuffer: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// How many bytes there are.
    package var count: Int { bytes.count }

    /// Reserves memory for `more` further bytes.
    package mutating func reserve(_ more: Int) { bytes.reserveCapacity(bytes.count + more) }

    /// Empties the buffer and keeps its memory.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Appends an integer, most significant byte first.
    package mutating func append(_ value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    package mutating func append(bytes other: some Collection<UInt8>) { bytes.append(contentsOf: other) }

    /// Appends a value after its length, or the length −1 for NULL: a field of an array or of COPY.
    package mutating func append(field value: some PostgresEncodable) {
        let start = bytes.count
        append(Int32(0))
        let isPresent = value.encode(into: &self)
        // The sender checks the total size, which a length that does not fit exceeds by far.
        replace(at: start, with: isPresent ? Int32(clamping: bytes.count - start - 4) : -1)
    }

    /// Overwrites an integer that was appended before, such as a length that is only known later.
    package mutating func replace(at offset: Int, with value: some FixedWidthInteger) {
        var rest = value
        for index in (0..<(value.bitWidth / 8)).reversed() {
            bytes[offset + index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
    }
}
