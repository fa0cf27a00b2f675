/// Keeps objects: bytes under a name, written whole or not at all.
///
/// Bodies are streams of pieces, of which a store holds only a few at a time. What is read is checked against the
/// checksum it was stored with.
public protocol ObjectStore: Sendable {
    /// Stores an object, replacing an older one. Others see it complete, or not at all.
    ///
    /// - Throws: ``CacheError``; what the body throws; `CancellationError`.
    @discardableResult
    func put<Body: AsyncSequence>(_ name: ObjectName, _ body: Body) async throws -> ObjectInfo
    where Body.Element == [UInt8]

    /// Reads an object while `read` runs.
    ///
    /// - Parameter read: Gets the bytes as they arrive; at their end, a wrong checksum throws. It need not read all of
    ///   them.
    /// - Throws: ``CacheError`` with `.notFound`, `.corrupt`, `.unavailable` or `.refused`; what `read` throws;
    ///   `CancellationError`.
    func get<R>(_ name: ObjectName, _ read: (ObjectInfo, ObjectBytes) async throws -> R) async throws -> R

    /// What is known about an object; `nil` if there is none.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    func info(_ name: ObjectName) async throws -> ObjectInfo?

    /// Removes an object, if there is one.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    func remove(_ name: ObjectName) async throws

    /// The names that begin with a prefix, in the order of their bytes.
    ///
    /// - Parameters:
    ///   - prefix: What they begin with; may be empty.
    ///   - after: The name to continue after.
    ///   - limit: How many at most, 1 … 1,000.
    /// - Throws: ``CacheError``; `CancellationError`.
    func list(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName]

    /// Like ``list(prefix:after:limit:)``, but including what other programs stored, under any name. It is used to
    /// export a person's objects.
    ///
    /// - Throws: ``CacheError``, with `.refused` if something stored there cannot be read as an object;
    ///   `CancellationError`.
    func listAll(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName]

    /// Removes all objects whose names begin with a prefix, such as all of a user's, no matter which program stored
    /// them.
    ///
    /// - Returns: How many.
    /// - Throws: ``CacheError``; `CancellationError`.
    @discardableResult
    func removeAll(prefix: String) async throws -> Int
}

extension ObjectStore {
    /// Stores bytes.
    @discardableResult
    public func put(_ name: ObjectName, bytes: [UInt8]) async throws -> ObjectInfo {
        try await put(
            name,
            AsyncStream { continuation in
                continuation.yield(bytes)
                continuation.finish()
            }
        )
    }

    /// Reads a whole object.
    ///
    /// - Parameter limit: The most bytes it may have.
    /// - Throws: As ``get(_:_:)``; ``CacheError`` with `.invalidArgument` if it is larger.
    public func bytes(of name: ObjectName, limit: Int) async throws -> [UInt8] {
        try await get(name) { info, pieces in
            guard info.size <= limit else {
                throw CacheError(.invalidArgument, "object \(name) has \(info.size) bytes, more than \(limit)")
            }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(info.size)
            for try await piece in pieces { bytes += piece }
            return bytes
        }
    }

    /// Lists the same names as ``list(prefix:after:limit:)``.
    public func listAll(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName] {
        try await list(prefix: prefix, after: after, limit: limit)
    }

    /// Removes the objects that ``listAll(prefix:after:limit:)`` lists.
    @discardableResult
    public func removeAll(prefix: String) async throws -> Int {
        var removed = 0
        while true {
            let names = try await listAll(prefix: prefix, after: nil, limit: 1_000)
            guard !names.isEmpty else { return removed }
            for name in names { try await remove(name) }
            removed += names.count
        }
    }
}
