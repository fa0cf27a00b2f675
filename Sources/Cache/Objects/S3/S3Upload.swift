internal import AsyncHTTPClient
internal import Logging
internal import NIOHTTP1

/// The upload of an object in parts.
///
/// The object's checksum is not known when the upload begins, and only a copy gets new metadata. So the parts become an
/// object with a provisional name, and a copy of that replaces the old object. A failure before then leaves the old
/// object.
///
/// Source: Amazon S3 User Guide, "Uploading and copying objects using multipart upload".
struct S3Upload: Sendable {
    private let name: ObjectName
    private let provisional: ObjectName
    private let id: String
    private let client: S3Client
    private let parts = PartList()

    /// The largest object that a service copies in one request, which is how an object gets its checksum in the end.
    ///
    /// Source: Amazon S3 API Reference, "CopyObject".
    static let largestObject = 5 << 30
    /// The most parts of an object.
    ///
    /// Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
    static let mostParts = 10_000

    /// The tag that the service gave each part that it has.
    private actor PartList {
        private var tags: [Int: String] = [:]

        func add(_ number: Int, _ tag: String) { tags[number] = tag }
        func all() -> [(number: Int, tag: String)] { tags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    static func begin(_ name: ObjectName, _ client: S3Client) async throws -> S3Upload {
        let provisional = name.provisional
        let begin = S3Client.Request(method: .POST, name: provisional, query: [("uploads", "")])
        let (_, xml) = try await client.send(begin)
        guard let id = S3Answer.text(of: "UploadId", in: xml) else {
            throw CacheError(.refused, "the object store began an upload of object \(name) without naming it")
        }
        return S3Upload(name: name, provisional: provisional, id: id, client: client)
    }

    private init(name: ObjectName, provisional: ObjectName, id: String, client: S3Client) {
        self.name = name
        self.provisional = provisional
        self.id = id
        self.client = client
    }

    /// Cuts a stream into parts and sends them, a few at a time.
    ///
    /// - Parameters:
    ///   - first: What has been read already.
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
        let request = S3Client.Request(method: .PUT, name: provisional, query: query, body: part)
        let (head, _) = try await client.send(request)
        guard let tag = head.headers.first(name: "etag") else {
            throw CacheError(.refused, "the object store took a part of object \(name) without naming it")
        }
        await parts.add(number, tag)
    }

    /// Turns the parts into an object that carries its checksum.
    func complete(_ info: ObjectInfo) async throws {
        let list = await parts.all().map { "<Part><PartNumber>\($0.number)</PartNumber><ETag>\($0.tag)</ETag></Part>" }
        let body = "<CompleteMultipartUpload>\(list.joined())</CompleteMultipartUpload>"
        let query = [(name: "uploadId", value: id)]
        do {
            do {
                _ = try await client.send(
                    S3Client.Request(method: .POST, name: provisional, query: query, body: Array(body.utf8))
                )
            } catch let error as CacheError where error.code == .notFound {
                // The first try's answer was lost, and the second try found the upload done.
                let request = S3Client.Request(method: .HEAD, name: provisional)
                let (head, _) = try await client.send(request) { $0 == .notFound }
                guard head.headers.first(name: "content-length") == "\(info.size)" else { throw error }
            }
            // The service copies by itself; no bytes pass through here.
            _ = try await client.send(
                S3Client.Request(
                    method: .PUT,
                    name: name,
                    headers: [
                        ("x-amz-copy-source", "/\(client.configuration.bucket)/\(provisional)"),
                        ("x-amz-metadata-directive", "REPLACE"),
                        (S3ObjectStore.checksumHeader, info.checksum ?? ""),
                    ]
                )
            )
        } catch {
            await Task { await removeProvisional() }.value
            throw error
        }
        await Task { await removeProvisional() }.value
    }

    /// Removes the provisional object, even when this task was cancelled. If it is left behind, it is not listed as an
    /// object, and goes when everything below its folder is removed.
    private func removeProvisional() async {
        do {
            _ = try await client.send(S3Client.Request(method: .DELETE, name: provisional)) { $0 == .notFound }
        } catch {
            client.logger.warning("a provisional object is left behind", metadata: ["error": "\(error)"])
        }
    }

    /// Aborts all uploads to names that begin with a prefix: those that others have under way, and those whose process
    /// was killed.
    ///
    /// - Returns: How many.
    /// - Throws: ``CacheError``; `CancellationError`.
    ///
    /// Source: Amazon S3 API Reference, "ListMultipartUploads" and "AbortMultipartUpload".
    static func abortAll(prefix: String, _ client: S3Client) async throws -> Int {
        let query = [(name: "uploads", value: ""), ("prefix", prefix), ("encoding-type", "url")]
        var (aborted, before) = (0, [String]())
        while true {
            let list = S3Client.Request(method: .GET, query: query)
            // A service without such a list has no uploads in parts that outlive their process.
            let (_, xml) = try await client.send(list) { $0 == .notImplemented }
            let ids = S3Answer.texts(of: "UploadId", in: xml)
            guard !ids.isEmpty else { return aborted }
            guard ids != before else {
                throw CacheError(.refused, "the object store still lists uploads below \(prefix) that were given up")
            }
            for (key, id) in zip(S3Answer.keys(in: xml), ids) {
                let name = ObjectName(unchecked: key)
                let abort = S3Client.Request(method: .DELETE, name: name, query: [("uploadId", id)])
                _ = try await client.send(abort) { $0 == .notFound }
            }
            aborted += ids.count
            before = ids
        }
    }

    /// Aborts the upload, which removes its parts.
    func abort() async {
        do {
            let request = S3Client.Request(method: .DELETE, name: provisional, query: [("uploadId", id)])
            _ = try await client.send(request) { $0 == .notFound }
        } catch {
            client.logger.warning("the parts of an upload are left behind", metadata: ["error": "\(error)"])
        }
    }
}
