internal import AsyncHTTPClient
internal import Logging
internal import NIOHTTP1

/// An object that is stored in parts.
///
/// Source: Amazon S3 User Guide, "Uploading and copying objects using multipart upload".
struct S3Upload: Sendable {
    private let name: ObjectName
    private let id: String
    private let client: S3Client
    private let parts = PartList()

    /// The largest object that a service copies in one request, which is how it gets its checksum in the end.
    ///
    /// Source: Amazon S3 API Reference, "CopyObject".
    static let largestObject = 5 << 30
    /// The most parts of an object.
    ///
    /// Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
    static let mostParts = 10_000

    /// What the service called each part that it has.
    private actor PartList {
        private var tags: [Int: String] = [:]

        func add(_ number: Int, _ tag: String) { tags[number] = tag }
        func all() -> [(number: Int, tag: String)] { tags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    static func begin(_ name: ObjectName, _ client: S3Client) async throws -> S3Upload {
        let (_, xml) = try await client.send(S3Client.Request(method: .POST, name: name, query: [("uploads", "")]))
        guard let id = S3Answer.text(of: "UploadId", in: xml) else {
            throw CacheError(.refused, "the object store began an upload of object \(name) without naming it")
        }
        return S3Upload(name: name, id: id, client: client)
    }

    private init(name: ObjectName, id: String, client: S3Client) {
        self.name = name
        self.id = id
        self.client = client
    }

    /// Cuts a stream into parts and sends them, a few at a time.
    ///
    /// - Parameters:
    ///   - first: What was read already.
    ///   - pieces: The rest.
    ///   - checksum: Covers `first`, and in the end everything.
    func sendParts<Pieces: AsyncIteratorProtocol>(
        beginningWith first: [UInt8],
        _ pieces: inout Pieces,
        _ checksum: inout ObjectChecksum
    ) async throws where Pieces.Element == [UInt8] {
        let configuration = client.configuration
        var (pending, number, isAtEnd) = (first, 0, false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            while !isAtEnd || !pending.isEmpty {
                while pending.count < configuration.partSize, !isAtEnd {
                    guard let piece = try await pieces.next(isolation: #isolation) else {
                        isAtEnd = true
                        break
                    }
                    checksum.update(piece)
                    pending += piece
                }
                guard !pending.isEmpty else { break }
                number += 1
                guard checksum.size <= Self.largestObject, number <= Self.mostParts else {
                    throw CacheError(
                        .invalidArgument,
                        "object \(name) is too large: at most 5 GiB and \(Self.mostParts) parts"
                    )
                }
                if number > configuration.parallelParts { try await group.next() }
                let (part, place) = (Array(pending.prefix(configuration.partSize)), number)
                pending.removeFirst(part.count)
                group.addTask { try await self.send(part, place) }
            }
            try await group.waitForAll()
        }
    }

    private func send(_ part: [UInt8], _ number: Int) async throws {
        let query = [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: id)]
        let (head, _) = try await client.send(S3Client.Request(method: .PUT, name: name, query: query, body: part))
        guard let tag = head.headers.first(name: "etag") else {
            throw CacheError(.refused, "the object store took a part of object \(name) without naming it")
        }
        await parts.add(number, tag)
    }

    /// Makes the parts an object, and has it carry its checksum.
    func complete(_ info: ObjectInfo) async throws {
        let list = await parts.all().map { "<Part><PartNumber>\($0.number)</PartNumber><ETag>\($0.tag)</ETag></Part>" }
        let body = "<CompleteMultipartUpload>\(list.joined())</CompleteMultipartUpload>"
        do {
            _ = try await client.send(
                S3Client.Request(method: .POST, name: name, query: [("uploadId", id)], body: Array(body.utf8))
            )
        } catch let error as CacheError where error.code == .notFound {
            // An answer that was lost: the second try finds the upload done.
            let (head, _) = try await client.send(S3Client.Request(method: .HEAD, name: name)) { $0 == .notFound }
            guard head.headers.first(name: "content-length") == "\(info.size)" else { throw error }
        }
        // The checksum was not known when the upload began, and only a copy gets new metadata; the service does it alone.
        do {
            _ = try await client.send(
                S3Client.Request(
                    method: .PUT,
                    name: name,
                    headers: [
                        ("x-amz-copy-source", "/\(client.configuration.bucket)/\(name)"),
                        ("x-amz-metadata-directive", "REPLACE"),
                        (S3ObjectStore.checksumHeader, info.checksum ?? ""),
                    ]
                )
            )
        } catch {
            _ = await Task { try await client.send(S3Client.Request(method: .DELETE, name: name)) }.result
            throw error
        }
    }

    /// Removes the parts.
    func abort() async {
        do {
            let request = S3Client.Request(method: .DELETE, name: name, query: [("uploadId", id)])
            _ = try await client.send(request) { $0 == .notFound }
        } catch {
            client.logger.warning("the parts of an upload are left behind", metadata: ["error": "\(error)"])
        }
    }
}
