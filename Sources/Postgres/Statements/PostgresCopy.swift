/// Writes the rows of a binary COPY.
///
/// Source: PostgreSQL manual, "COPY", section "Binary Format".
package struct PostgresCopyWriter: ~Copyable {
    private let libpq: LibpqConnection
    /// How long the server may go without taking rows; `nil` for ever.
    private let patience: Duration?
    private var buffer = PostgresBuffer()

    /// How many bytes gather before they are passed to libpq.
    private static let chunk = 64 * 1024
    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    init(_ libpq: LibpqConnection, patience: Duration?) {
        self.libpq = libpq
        self.patience = patience
        buffer.reserve(Self.chunk * 2)
        buffer.append(bytes: Self.signature)
        buffer.append(Int32(0))
        buffer.append(Int32(0))
    }

    /// Writes one row: all its values, in the order of the columns.
    ///
    /// - Throws: ``PostgresError``, with `.encoding` if the row is larger than the server takes; `CancellationError`.
    package mutating func row<each T: PostgresEncodable>(_ values: repeat each T) throws {
        let start = buffer.count
        buffer.append(Int16(0))
        var columns: Int16 = 0
        for value in repeat each values {
            buffer.append(field: value)
            columns += 1
        }
        buffer.replace(at: start, with: columns)
        guard buffer.count - start <= PostgresParameters.largestValue else {
            throw PostgresError(
                .encoding,
                "a row of COPY has \(buffer.count - start) bytes: more than the server takes"
            )
        }
        if buffer.count >= Self.chunk { try send() }
    }

    /// Writes rows that are already encoded: for each, the number of columns, then each field after its length.
    ///
    /// - Throws: As ``row(_:)``.
    package mutating func rows(encoded rows: borrowing PostgresBuffer) throws {
        try send()
        try send(rows.bytes)
    }

    mutating func finish() throws {
        buffer.append(Int16(-1))
        try send()
        try libpq.endCopy()
    }

    private mutating func send() throws {
        try send(buffer.bytes)
        buffer.removeAll()
    }

    private func send(_ bytes: [UInt8]) throws {
        switch unsafe try bytes.withUnsafeBytes({ bytes in unsafe try libpq.putCopy(bytes, within: patience) }) {
        case .ready: return
        case .interrupted: throw CancellationError()
        case .timedOut: throw PostgresExchange.silence(patience)
        }
    }
}

/// One row of a binary COPY, valid only while the closure that gets it runs.
@safe package struct PostgresCopyRow {
    private let message: UnsafeRawBufferPointer
    private var fields: [(start: Int, length: Int)] = []

    /// The size of the header before the first row: signature, flags, and the length of the extension, which no server
    /// uses.
    private static let headerSize = 19

    /// - Returns: `nil` for a message without a row: only the header, or the end of the copy.
    init?(message: UnsafeRawBufferPointer, isFirst: Bool) throws(PostgresError) {
        unsafe self.message = message
        var offset = isFirst ? Self.headerSize : 0
        if message.count == offset { return nil }
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
