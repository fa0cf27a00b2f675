/// Writes the rows of a binary COPY.
///
/// Source: PostgreSQL manual, "COPY", section "Binary Format".
package struct PostgresCopyWriter {
    private let exchange: PostgresExchange
    private var buffer = PostgresBuffer()

    /// How many bytes gather before they are handed to libpq.
    private static let chunk = 64 * 1024
    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    init(_ exchange: PostgresExchange) {
        self.exchange = exchange
        buffer.reserve(Self.chunk * 2)
        buffer.append(bytes: Self.signature)
        buffer.append(Int32(0))
        buffer.append(Int32(0))
    }

    /// Writes one row: all its values, in the order of the columns.
    ///
    /// - Throws: ``PostgresError``; `CancellationError`.
    package mutating func row<each T: PostgresEncodable>(_ values: repeat each T) throws {
        let start = buffer.count
        buffer.append(Int16(0))
        var columns: Int16 = 0
        for value in repeat each values {
            buffer.append(field: value)
            columns += 1
        }
        buffer.replace(at: start, with: columns)
        if buffer.count >= Self.chunk { try send() }
    }

    mutating func finish() throws {
        buffer.append(Int16(-1))
        try send()
        try exchange.endCopy()
    }

    private mutating func send() throws {
        unsafe try buffer.bytes.withUnsafeBytes { bytes in unsafe try exchange.putCopy(bytes) }
        buffer.removeAll()
    }
}

/// One row of a binary COPY, valid while the closure that gets it runs.
@safe package struct PostgresCopyRow {
    private let message: UnsafeRawBufferPointer
    private var fields: [(start: Int, length: Int)] = []

    /// The bytes before the first row: signature, flags, length of the extension.
    private static let headerSize = 19

    /// - Returns: `nil` for the message that ends the copy.
    init?(message: UnsafeRawBufferPointer, isFirst: Bool) throws(PostgresError) {
        unsafe self.message = message
        var offset = isFirst ? Self.headerSize : 0
        guard let count = unsafe message.integer(Int16.self, at: offset) else { throw Self.malformed }
        guard count >= 0 else { return nil }
        offset += 2
        fields.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let length = unsafe message.integer(Int32.self, at: offset) else { throw Self.malformed }
            fields.append((offset + 4, Int(length)))
            offset += 4 + max(0, Int(length))
        }
        guard offset <= message.count else { throw Self.malformed }
    }

    private static let malformed = PostgresError(.decoding, "a row of COPY is malformed")

    /// Reads a column as the type that it was declared with.
    ///
    /// - Throws: ``PostgresError`` with `.decoding`, naming the column's number.
    package func decode<T: PostgresDecodable & PostgresEncodable>(
        _: T.Type = T.self,
        at column: Int
    ) throws(PostgresError) -> T {
        guard fields.indices.contains(column) else {
            throw PostgresError(.decoding, "there is no column \(column + 1): the row has \(fields.count)")
        }
        let (start, length) = fields[column]
        let bytes = length < 0 ? nil : unsafe UnsafeRawBufferPointer(rebasing: message[start..<(start + length)])
        guard let value = unsafe T(postgres: bytes, type: T.postgresType) else {
            throw PostgresError(.decoding, "column \(column + 1) does not read as \(T.self)")
        }
        return value
    }
}
