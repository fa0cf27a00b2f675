internal import AsyncHTTPClient
internal import FoundationEssentials
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// Sends signed requests to a service, and retries after failures that may pass.
struct S3Client: Sendable {
    /// A request.
    struct Request: Sendable {
        var method: HTTPMethod
        /// The object; `nil` for the bucket.
        var name: ObjectName?
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
    }

    let configuration: S3Configuration
    let host: String
    let logger: Logger
    private static let largestAnswer = 4 << 20

    /// A failure to connect is reported at once, and retried here: by itself, the client would keep trying until each
    /// request times out.
    private static let http = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(10)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Sends a request and reads the whole answer.
    ///
    /// - Parameter isExpected: Whether a status other than 2xx is an answer too.
    /// - Throws: ``CacheError``; `CancellationError`.
    func send(
        _ request: Request,
        isExpected: @Sendable (HTTPResponseStatus) -> Bool = { _ in false }
    ) async throws -> (head: HTTPClientResponse, body: String) {
        try await retrying(request) { deadline in
            let response = try await execute(request, deadline: deadline)
            let body = String(buffer: try await response.body.collect(upTo: Self.largestAnswer))
            let isDone = (200..<300).contains(response.status.code)
            // A service that takes long begins its answer with 200, and may then say in the body that it failed.
            guard isDone ? S3Answer.text(of: "Code", in: body) == nil : isExpected(response.status) else {
                throw S3Failure(response.status, body)
            }
            return (response, body)
        }
    }

    /// Sends a request for an object's bytes, which are read from the response afterwards.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    func open(_ request: Request) async throws -> HTTPClientResponse {
        try await retrying(request) { _ in
            // The reader decides how long this takes; a connection that falls silent is given up all the same.
            let response = try await execute(request, deadline: .distantFuture)
            guard (200..<300).contains(response.status.code) else {
                throw S3Failure(
                    response.status,
                    String(buffer: try await response.body.collect(upTo: Self.largestAnswer))
                )
            }
            return response
        }
    }

    private func execute(_ request: Request, deadline: NIODeadline) async throws -> HTTPClientResponse {
        let path = "/\(configuration.bucket)" + (request.name.map { "/\($0)" } ?? "")
        let moment = S3Signature.moment(of: Date())
        let bodyHash = ObjectChecksum.of(request.body)
        var headers = request.headers
        headers.append(("host", host))
        headers.append(("x-amz-content-sha256", bodyHash))
        headers.append(("x-amz-date", moment))
        if let token = configuration.sessionToken { headers.append(("x-amz-security-token", token)) }
        let signature = S3Signature(
            accessKeyID: configuration.accessKeyID,
            secretAccessKey: configuration.secretAccessKey,
            region: configuration.region,
            moment: moment
        )
        let authorization = signature.authorization(
            method: request.method.rawValue,
            path: path,
            query: request.query,
            headers: headers,
            bodyHash: bodyHash
        )
        let query = S3Signature.query(request.query)
        let url = configuration.endpoint + S3Signature.encoded(path, keepsSlashes: true)
        var sent = HTTPClientRequest(url: url + (query.isEmpty ? "" : "?\(query)"))
        sent.method = request.method
        for header in headers { sent.headers.add(name: header.name, value: header.value) }
        sent.headers.add(name: "authorization", value: authorization)
        if !request.body.isEmpty || [.PUT, .POST].contains(request.method) {
            sent.body = .bytes(ByteBuffer(bytes: request.body))
        }
        return try await Self.http.execute(sent, deadline: deadline, logger: logger)
    }

    // MARK: Trying again

    /// Tries a request, and again while it fails in ways that may pass.
    private func retrying<R>(_ request: Request, _ body: (NIODeadline) async throws -> R) async throws -> R {
        var attempt = 1
        while true {
            do {
                try Task.checkCancellation()
                let timeout = TimeAmount.nanoseconds(Int64(configuration.timeout / .nanoseconds(1)))
                return try await body(.now() + timeout)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                if Task.isCancelled { throw CancellationError() }
                let failure = error as? S3Failure
                guard failure?.mayPass ?? true, attempt < configuration.attempts else {
                    throw failure?.error(of: request, tries: attempt)
                        ?? CacheError(
                            .unavailable,
                            "the object store does not answer after \(attempt) tries",
                            cause: error
                        )
                }
                logger.debug("a request to the object store is tried again", metadata: ["error": "\(error)"])
                try await pause(after: attempt)
                attempt += 1
            }
        }
    }

    /// Waits longer after each failure, with jitter: between half and all of 0.1 s, 0.2 s, 0.4 s …, at most 5 s.
    func pause(after attempt: Int) async throws {
        let longest = min(5_000, 50 << min(attempt, 10))
        try await Task.sleep(for: .milliseconds(Int.random(in: (longest / 2)...longest)))
    }
}
