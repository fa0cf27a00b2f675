internal import AsyncHTTPClient
package import Logging
internal import NIOCore
internal import NIOHTTP1

/// Objects in a bucket of a service that speaks S3, Cloud Storage's interoperable API included.
public struct S3ObjectStore: ObjectStore {
    let client: S3Client

    /// Where an object's SHA-256 stands: S3's own checksums of large objects are of their parts, and not every service
    /// has them.
    static let checksumHeader = "x-amz-meta-sha256"

    /// - Throws: ``CacheError`` with `.invalidArgument` that names the setting at fault.
    public init(_ configuration: S3Configuration) throws(CacheError) {
        try self.init(configuration, logger: Logger(label: "recorder.objects"))
    }

    package init(_ configuration: S3Configuration, logger: Logger) throws(CacheError) {
        try configuration.check()
        client = S3Client(configuration: configuration, host: configuration.host ?? "", logger: logger)
    }

    // MARK: Writing

    /// Stores an object: in one request if it fits in a part, else in parts, of which a few are held at a time.
    public func put<Body: AsyncSequence>(_ name: ObjectName, _ body: Body) async throws -> ObjectInfo
    where Body.Element == [UInt8] {
        let partSize = client.configuration.partSize
        var checksum = ObjectChecksum()
        var pending: [UInt8] = []
        var pieces = body.makeAsyncIterator()
        while pending.count <= partSize, let piece = try await pieces.next(isolation: #isolation) {
            checksum.update(piece)
            pending += piece
        }
        guard pending.count > partSize else {
            let digest = checksum.hexadecimal
            _ = try await client.send(
                S3Client.Request(method: .PUT, name: name, headers: [(Self.checksumHeader, digest)], body: pending)
            )
            return ObjectInfo(name: name, size: checksum.size, checksum: digest)
        }
        let upload = try await S3Upload.begin(name, client)
        do {
            try await upload.sendParts(beginningWith: pending, &pieces, &checksum)
            let info = ObjectInfo(name: name, size: checksum.size, checksum: checksum.hexadecimal)
            try await upload.complete(info)
            return info
        } catch {
            // Also when this task was cancelled: parts that nobody completes are paid for until somebody removes them.
            await Task { await upload.abort() }.value
            throw error
        }
    }

    /// Removes an object, if there is one.
    public func remove(_ name: ObjectName) async throws {
        _ = try await client.send(S3Client.Request(method: .DELETE, name: name)) { $0 == .notFound }
    }

    /// Removes all objects whose names begin with a text, also those that another program stored and that are no
    /// ``ObjectName``.
    public func removeAll(prefix: String) async throws -> Int {
        var removed = 0
        var before: [String] = []
        while true {
            let keys = try await keys(prefix: prefix, limit: 1_000)
            guard !keys.isEmpty else { return removed }
            guard keys != before else {
                throw CacheError(.refused, "the object store still lists objects below \(prefix) that were removed")
            }
            for key in keys { try await remove(ObjectName(unchecked: key)) }
            removed += keys.count
            before = keys
        }
    }

    // MARK: Reading

    /// Reads an object while `read` runs; a connection that breaks is made anew, and reading goes on where it was.
    public func get<R>(_ name: ObjectName, _ read: (ObjectInfo, ObjectBytes) async throws -> R) async throws -> R {
        let response = try await client.open(S3Client.Request(method: .GET, name: name))
        let info = try Self.info(of: name, response.headers)
        let download = S3Download(info, response, client)
        return try await read(info, ObjectBytes { try await download.next() })
    }

    /// What the service says of an object.
    public func info(_ name: ObjectName) async throws -> ObjectInfo? {
        let (head, _) = try await client.send(S3Client.Request(method: .HEAD, name: name)) { $0 == .notFound }
        return head.status == .notFound ? nil : try Self.info(of: name, head.headers)
    }

    private static func info(of name: ObjectName, _ headers: HTTPHeaders) throws(CacheError) -> ObjectInfo {
        guard let size = headers.first(name: "content-length").flatMap({ Int($0) }) else {
            throw CacheError(.corrupt, "the object store does not say how large object \(name) is")
        }
        return ObjectInfo(name: name, size: size, checksum: headers.first(name: checksumHeader))
    }

    /// Lists names; those that another program stored and that are no ``ObjectName`` are left out.
    public func list(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName] {
        let limit = min(max(1, limit), 1_000)
        var names: [ObjectName] = []
        var last = after?.description
        while true {
            let keys = try await keys(prefix: prefix, after: last, limit: limit)
            names += keys.compactMap { try? ObjectName($0) }
            last = keys.last
            // A page of nothing but others' names is not the end.
            if names.count >= limit || keys.count < limit { return Array(names.prefix(limit)) }
        }
    }

    /// A page of whatever names there are.
    func keys(prefix: String, after: String? = nil, limit: Int) async throws -> [String] {
        // Names may hold what XML cannot.
        var query = [
            (name: "list-type", value: "2"), ("prefix", prefix), ("max-keys", "\(limit)"), ("encoding-type", "url"),
        ]
        if let after { query.append(("start-after", after)) }
        let (_, xml) = try await client.send(S3Client.Request(method: .GET, name: nil, query: query))
        let keys = S3Answer.texts(of: "Key", in: xml)
        return S3Answer.text(of: "EncodingType", in: xml) == "url" ? keys.map(S3Answer.urlDecoded) : keys
    }
}
