/// The parameters of one execution, in one contiguous buffer.
package struct PostgresParameters: Sendable {
    private var buffer = PostgresBuffer()
    /// Where each value begins in the buffer, and its length, which is −1 for NULL.
    private var fields: [(start: Int, length: Int)] = []
    private(set) var types: [PostgresType] = []

    /// The largest value that the server takes: 1 GiB less its own overhead. All parameters together, with the bytes
    /// sent around each, must not exceed it either.
    ///
    /// Source: PostgreSQL's `MaxAllocSize` in `src/include/utils/memutils.h`; `PQ_LARGE_MESSAGE_LIMIT` in
    /// `src/include/libpq/libpq.h`.
    package static let largestValue = 0x3FFF_FFFF - 1024

    /// The most parameters that a statement can have.
    ///
    /// Source: PostgreSQL manual, appendix K, "PostgreSQL Limits".
    private static let mostParameters = 65_535

    /// How many bytes the message holds for each parameter in addition to its value: format and length.
    private static let overhead = 6

    init() {}

    /// Appends the next parameter.
    ///
    /// - Throws: ``PostgresError`` with `.encoding` if the value is larger than the server takes.
    package mutating func append(_ value: some PostgresEncodable) throws(PostgresError) {
        try append(value, as: Swift.type(of: value).postgresType)
    }

    /// Appends bytes as a `bytea` without a copy in between.
    package mutating func append(bytes: some Collection<UInt8>) throws(PostgresError) {
        try checkSize(bytes.count)
        fields.append((buffer.count, bytes.count))
        types.append(.bytea)
        buffer.append(bytes: bytes)
    }

    /// Appends a value that is already in binary form, as a value of `type`; `nil` is NULL.
    package mutating func append(
        encoded bytes: PostgresBuffer?,
        as type: PostgresType
    ) throws(PostgresError) {
        types.append(type)
        guard let bytes else { return fields.append((0, -1)) }
        try checkSize(bytes.count)
        fields.append((buffer.count, bytes.count))
        buffer.append(bytes: bytes.bytes)
    }

    private mutating func append(_ value: some PostgresEncodable, as type: PostgresType) throws(PostgresError) {
        let start = buffer.count
        let isPresent = value.encode(into: &buffer)
        try checkSize(0)
        fields.append((start, isPresent ? buffer.count - start : -1))
        types.append(type)
    }

    /// Checks that `more` bytes can still be sent.
    private func checkSize(_ more: Int) throws(PostgresError) {
        guard fields.count < Self.mostParameters else {
            throw PostgresError(.encoding, "the server takes at most \(Self.mostParameters) parameters")
        }
        guard buffer.count + more + Self.overhead * fields.count <= Self.largestValue else {
            throw PostgresError(
                .encoding,
                "with parameter $\(fields.count + 1) there are \(buffer.count + more) bytes; "
                    + "the server takes \(Self.largestValue)"
            )
        }
    }

    /// Calls `body` with what libpq expects: pointers to the values, their lengths, and 1 for each as the binary
    /// format.
    func withPointers<R>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, [Int32], [Int32]) -> R
    ) -> R {
        let lengths = fields.map { Int32(max(0, $0.length)) }
        let formats = [Int32](repeating: 1, count: fields.count)
        return unsafe buffer.bytes.withUnsafeBytes { bytes in
            // libpq takes a NULL pointer for NULL, so an empty value needs another address.
            let empty: StaticString = ""
            var pointers = unsafe fields.map { field -> UnsafePointer<CChar>? in
                if field.length < 0 { return nil }
                guard field.length > 0, let base = bytes.baseAddress else {
                    return unsafe UnsafeRawPointer(empty.utf8Start).assumingMemoryBound(to: CChar.self)
                }
                return unsafe (base + field.start).assumingMemoryBound(to: CChar.self)
            }
            unsafe pointers.append(nil)
            return unsafe pointers.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { preconditionFailure("the array has its terminator") }
                return unsafe body(base, lengths, formats)
            }
        }
    }
}
