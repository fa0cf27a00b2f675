internal import AsyncHTTPClient
package import Logging
internal import NIOCore
internal import NIOHTTP1

/// Objects in a bucket of a service that speaks S3, including Cloud Storage's interoperable API.
public struct S3ObjectStore: ObjectStore {
    let client: S3Client

    /// The header that holds an object's SHA-256: S3's own checksums of large objects cover their parts, and not every
    /// service has them.
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

    /// Stores an object: in one request if it fits in a part, else in parts, a few of them in memory at a time.
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
            // Even when this task was cancelled: parts of an incomplete upload cost money until they are removed.
            await Task { await upload.abort() }.value
            throw error
        }
    }

    /// Removes an object, if there is one.
    public func remove(_ name: ObjectName) async throws {
        _ = try await client.send(S3Client.Request(method: .DELETE, name: name)) { $0 == .notFound }
    }

    /// Removes all objects whose names begin with a prefix, including other programs' objects whose names
    /// ``ObjectName`` would refuse. Also aborts uploads to such names, whose parts no list of objects shows. Each
    /// counts as one.
    public func removeAll(prefix: String) async throws -> Int {
        var removed = try await S3Upload.abortAll(prefix: prefix, client)
        var before: [String] = []
        while true {
            var page = try await page(prefix: prefix, limit: 1_000)
            while page.keys.isEmpty, let next = page.next {
                page = try await self.page(prefix: prefix, next: next, limit: 1_000)
            }
            let keys = page.keys
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

    /// Reads an object while `read` runs; when a connection breaks, another continues where it stopped.
    public func get<R>(_ name: ObjectName, _ read: (ObjectInfo, ObjectBytes) async throws -> R) async throws -> R {
        let response = try await client.open(S3Client.Request(method: .GET, name: name))
        let info = try Self.info(of: name, response.headers)
        let download = S3Download(info, response, client)
        return try await read(info, ObjectBytes { try await download.next() })
    }

    /// What the service says about an object.
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

    /// Lists names, except other programs' names that ``ObjectName`` would refuse.
    public func list(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName] {
        try await names(prefix, after, limit) { try? ObjectName($0) }
    }

    /// Lists all names.
    public func listAll(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName] {
        try await names(prefix, after, limit) { ObjectName(unchecked: $0) }
    }

    private func names(
        _ prefix: String,
        _ after: ObjectName?,
        _ limit: Int,
        _ name: (String) -> ObjectName?
    ) async throws -> [ObjectName] {
        let limit = min(max(1, limit), 1_000)
        var page = try await page(prefix: prefix, after: after, limit: limit)
        var names = page.keys.compactMap(name)
        // A page may hold fewer names than asked for, or only other programs' names: the service says whether it is the
        // last.
        while names.count < limit, let next = page.next {
            page = try await self.page(prefix: prefix, next: next, limit: limit)
            names += page.keys.compactMap(name)
        }
        return Array(names.prefix(limit))
    }

    /// A page of names of any kind.
    struct Page {
        let keys: [String]
        /// The token that asks for the next page; `nil` if this is the last.
        let next: String?
    }

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - after: The name that the page begins after; `nil` to begin with the first.
    ///   - next: The token that the previous page gave.
    /// - Throws: ``CacheError`` with `.refused` if the answer is no list: a proxy's HTML page must not pass for an
    ///   empty bucket.
    ///
    /// Source: Amazon S3 API Reference, "ListObjectsV2".
    func page(prefix: String, after: ObjectName? = nil, next: String? = nil, limit: Int) async throws -> Page {
        // Names may hold characters that XML cannot, so they are asked for encoded.
        var query = [
            (name: "list-type", value: "2"), ("prefix", prefix), ("max-keys", "\(limit)"), ("encoding-type", "url"),
        ]
        if let after { query.append(("start-after", "\(after)")) }
        if let next { query.append(("continuation-token", next)) }
        let (_, xml) = try await client.send(S3Client.Request(method: .GET, name: nil, query: query))
        guard xml.contains("<ListBucketResult") else {
            throw CacheError(
                .refused,
                "what \(client.configuration.endpoint) answers is no list of objects: is it an S3 service?"
            )
        }
        let isLast = S3Answer.text(of: "IsTruncated", in: xml) != "true"
        return Page(
            keys: S3Answer.keys(in: xml),
            next: isLast ? nil : S3Answer.text(of: "NextContinuationToken", in: xml)
        )
    }
}
