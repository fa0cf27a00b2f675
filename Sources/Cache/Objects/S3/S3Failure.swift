internal import NIOHTTP1

/// A service's answer that reports a failure.
struct S3Failure: Error {
    let status: HTTPResponseStatus
    /// The service's name for the failure, such as `NoSuchKey`.
    let code: String?
    private let message: String?

    init(_ status: HTTPResponseStatus, _ body: String) {
        self.status = status
        code = S3Answer.text(of: "Code", in: body)
        message = S3Answer.text(of: "Message", in: body)
    }

    /// Whether the same request may succeed later.
    ///
    /// Source: Amazon S3 API Reference, "Error responses".
    var mayPass: Bool {
        status.code >= 500 && status.code != 501 || status == .requestTimeout || status == .tooManyRequests
            || ["RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "OperationAborted"].contains(code)
    }

    /// The failure in this target's terms.
    func error(of request: S3Client.Request, tries: Int) -> CacheError {
        let what = request.name.map { "object \($0)" } ?? "the bucket"
        let reason = "\(status.code) \(code ?? status.reasonPhrase)" + (message.map { ": \($0)" } ?? "")
        if status == .notFound, code != "NoSuchBucket", request.name != nil {
            return CacheError(.notFound, code == "NoSuchUpload" ? "\(what): \(reason)" : "there is no \(what)")
        }
        if status == .preconditionFailed { return CacheError(.corrupt, "\(what) was changed while it was read") }
        return mayPass
            ? CacheError(.unavailable, "the object store refuses \(what) after \(tries) tries: \(reason)")
            : CacheError(.refused, "the object store refuses \(what): \(reason)")
    }
}
