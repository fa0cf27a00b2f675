internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1

/// The bytes of an object as they arrive; when a connection breaks, another continues where it stopped.
final class S3Download {
    private let info: ObjectInfo
    private let client: S3Client
    /// The content's entity tag, so that no other content is mixed in.
    private let tag: String?
    private var pieces: HTTPClientResponse.Body.AsyncIterator
    private var checksum = ObjectChecksum()
    private var failures = 0
    private var isDone = false

    init(_ info: ObjectInfo, _ response: HTTPClientResponse, _ client: S3Client) {
        self.info = info
        self.client = client
        tag = response.headers.first(name: "etag")
        pieces = response.body.makeAsyncIterator()
    }

    /// The next piece; `nil` at the end, when the checksum matches.
    func next() async throws -> [UInt8]? {
        while !isDone {
            do {
                guard let buffer = try await pieces.next(isolation: #isolation) else {
                    guard checksum.size >= info.size else {
                        throw CacheError(.unavailable, "the connection ended early")
                    }
                    isDone = true
                    break
                }
                let piece = unsafe buffer.withUnsafeReadableBytes { unsafe Array($0) }
                checksum.update(piece)
                failures = 0
                return piece
            } catch {
                if Task.isCancelled { throw CancellationError() }
                failures += 1
                guard failures < client.configuration.attempts, tag != nil else {
                    throw CacheError(.unavailable, "object \(info.name) cannot be read to its end", cause: error)
                }
                guard checksum.size < info.size else {
                    isDone = true
                    break
                }
                try await client.pause(after: failures)
                try await resume()
            }
        }
        try checksum.check(info)
        return nil
    }

    private func resume() async throws {
        let headers = [("range", "bytes=\(checksum.size)-"), ("if-match", tag ?? "")].map { (name: $0.0, value: $0.1) }
        let response = try await client.open(S3Client.Request(method: .GET, name: info.name, headers: headers))
        guard response.status == .partialContent else {
            throw CacheError(.refused, "the object store does not give a part of object \(info.name)")
        }
        pieces = response.body.makeAsyncIterator()
    }
}
