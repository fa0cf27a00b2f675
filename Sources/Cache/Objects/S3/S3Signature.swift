internal import Crypto
internal import FoundationEssentials
internal import Glibc

/// Signs requests: AWS Signature Version 4, with the hash of the body.
///
/// Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a
/// Single Chunk".
struct S3Signature {
    let accessKeyID: String
    let secretAccessKey: String
    let region: String
    /// When the request is made: `20130524T000000Z`.
    let moment: String

    private static let algorithm = "AWS4-HMAC-SHA256"
    private var scope: String { "\(moment.prefix(8))/\(region)/s3/aws4_request" }

    /// The header `Authorization` of a request.
    ///
    /// - Parameters:
    ///   - path: Not encoded.
    ///   - query: Not encoded.
    ///   - headers: All headers to be signed, including `Host`.
    ///   - bodyHash: The SHA-256 of the body, in hexadecimal.
    func authorization(
        method: String,
        path: String,
        query: [(name: String, value: String)],
        headers: [(name: String, value: String)],
        bodyHash: String
    ) -> String {
        let signed = headers.map { (name: $0.name.lowercased(), value: Self.trimmed($0.value)) }
            .sorted { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let request = [
            method, Self.encoded(path, keepsSlashes: true), Self.query(query),
            signed.map { "\($0.name):\($0.value)\n" }.joined(), names, bodyHash,
        ].joined(separator: "\n")
        let text = [Self.algorithm, moment, scope, ObjectChecksum.of(Array(request.utf8))].joined(separator: "\n")
        let key = ["s3", "aws4_request"].reduce(
            mac(region, key: mac(String(moment.prefix(8)), key: Array("AWS4\(secretAccessKey)".utf8)))
        ) { key, part in mac(part, key: key) }
        let signature = mac(text, key: key).hexadecimal
        return "\(Self.algorithm) Credential=\(accessKeyID)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
    }

    private func mac(_ text: String, key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }

    /// A query, encoded and in the order of its encoded names.
    static func query(_ items: [(name: String, value: String)]) -> String {
        items.map { (encoded($0.name), encoded($0.value)) }.sorted { $0 < $1 }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// Encodes every byte except RFC 3986's unreserved characters as `%XX`.
    static func encoded(_ text: String, keepsSlashes: Bool = false) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case 0x2F where keepsSlashes: result += "/"
            default: result += "%" + [byte].hexadecimal.uppercased()
            }
        }
        return result
    }

    /// Writes a moment as signatures need it.
    static func moment(of date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = unsafe tm()
        let isKnown = unsafe gmtime_r(&seconds, &parts) != nil
        guard isKnown else { preconditionFailure("the clock is out of every range") }
        func digits(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let day = unsafe "\(parts.tm_year + 1900)\(digits(parts.tm_mon + 1))\(digits(parts.tm_mday))"
        return unsafe "\(day)T\(digits(parts.tm_hour))\(digits(parts.tm_min))\(digits(parts.tm_sec))Z"
    }
}
