/// How to reach a bucket of a service that speaks S3.
public struct S3Configuration: Sendable {
    /// Where the service is, such as `https://s3.eu-central-1.amazonaws.com` or `https://storage.googleapis.com`.
    public var endpoint: String
    /// The bucket; it is named in the path of each request.
    public var bucket: String
    /// The region that requests are signed for; `auto` where a service has none.
    public var region: String
    /// The id of the access key; for Cloud Storage, of an HMAC key.
    public var accessKeyID: String
    /// The secret that requests are signed with.
    public var secretAccessKey: String
    /// A token of temporary credentials.
    public var sessionToken: String?
    /// How many bytes a part of a large object has, 5 MiB or more; each part under way takes as many in memory.
    public var partSize: Int
    /// How many parts of an object are under way at a time.
    public var parallelParts: Int
    /// How many times a request is tried in all.
    public var attempts: Int
    /// How long one try of a request may take, at most a day, not counting the reading of an object's bytes.
    public var timeout: Duration

    /// Makes a configuration.
    public init(
        endpoint: String,
        bucket: String,
        region: String,
        accessKeyID: String,
        secretAccessKey: String,
        sessionToken: String? = nil,
        partSize: Int = 8 << 20,
        parallelParts: Int = 2,
        attempts: Int = 5,
        timeout: Duration = .seconds(60)
    ) {
        self.endpoint = endpoint
        self.bucket = bucket
        self.region = region
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.partSize = partSize
        self.parallelParts = parallelParts
        self.attempts = attempts
        self.timeout = timeout
    }

    /// The smallest part that S3 takes, except for an object's last.
    ///
    /// Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
    static let smallestPart = 5 << 20

    /// The endpoint's host, with its port if one is given, as the header `Host` needs it; `nil` if there is none.
    var host: String? {
        guard let scheme = ["https://", "http://"].first(where: endpoint.hasPrefix) else { return nil }
        let host = endpoint.dropFirst(scheme.count)
        return host.isEmpty || host.contains(where: { "/?#@ ".contains($0) }) ? nil : String(host)
    }

    /// - Throws: ``CacheError`` with `.invalidArgument` that names the setting at fault.
    func check() throws(CacheError) {
        func refuse(_ what: String) -> CacheError { CacheError(.invalidArgument, "the object store's \(what)") }
        guard host != nil else {
            throw refuse(
                "endpoint must be http:// or https:// and a host, such as https://s3.eu-central-1.amazonaws.com"
            )
        }
        guard (3...63).contains(bucket.utf8.count),
            bucket.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) })
        else { throw refuse("bucket must have 3 to 63 letters, digits, '-', '.' and '_'") }
        guard !region.isEmpty else { throw refuse("region is empty: take 'auto' where the service has none") }
        guard !accessKeyID.isEmpty, !secretAccessKey.isEmpty else { throw refuse("credentials are empty") }
        guard (Self.smallestPart...(1 << 30)).contains(partSize) else {
            throw refuse("part size must be 5 MiB to 1 GiB")
        }
        guard (1...16).contains(parallelParts) else { throw refuse("parallel parts must be 1 to 16") }
        guard (1...20).contains(attempts) else { throw refuse("attempts must be 1 to 20") }
        guard timeout > .zero, timeout <= .seconds(86_400) else {
            throw refuse("timeout must be above zero and at most a day")
        }
    }
}
