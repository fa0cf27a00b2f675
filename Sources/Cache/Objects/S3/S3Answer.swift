/// The texts of elements in a service's XML.
///
/// S3's answers are flat: no element of interest is nested in one of the same name, and none has attributes that
/// matter.
enum S3Answer {
    /// The texts of all elements of a name, in their order.
    static func texts(of name: String, in xml: String) -> [String] {
        var texts: [String] = []
        var rest = xml[...]
        while let start = rest.firstRange(of: "<\(name)>") {
            let inner = rest[start.upperBound...]
            guard let end = inner.firstRange(of: "</\(name)>") else { break }
            texts.append(decoded(inner[..<end.lowerBound]))
            rest = inner[end.upperBound...]
        }
        return texts
    }

    /// The text of the first element of a name.
    static func text(of name: String, in xml: String) -> String? { texts(of: name, in: xml).first }

    /// The names in a listing that was asked for with `encoding-type=url`, which not every service heeds.
    static func keys(in xml: String) -> [String] {
        let keys = texts(of: "Key", in: xml)
        return text(of: "EncodingType", in: xml) == "url" ? keys.map(urlDecoded) : keys
    }

    /// Decodes XML's five entities, and `&#34;`; S3 writes no others.
    private static func decoded(_ text: Substring) -> String {
        guard text.contains("&") else { return String(text) }
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&amp;", "&"),
        ]
        return entities.reduce(String(text)) { $0.replacing($1.0, with: $1.1) }
    }

    /// Decodes a name from a listing with `encoding-type=url`: `%` and two digits stand for a byte, `+` for a space.
    ///
    /// Source: Amazon S3 API Reference, "ListObjectsV2".
    private static func urlDecoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            let digits = Substring(rest.prefix(2))
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let decoded = UInt8(digits, radix: 16) {
                bytes.append(decoded)
                rest.removeFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
