/// A form of input that is not plain UTF-8, recognized by its first bytes.
///
/// Sources: the Unicode standard, section 23.8, for byte-order marks; RFC 1952 for gzip; RFC 8878 for zstd.
enum InputForm {
    case byteOrderMark
    case utf16
    case gzip
    case zstd

    /// Looks at the first bytes of input; nil if they show none of these forms.
    init?(_ bytes: [UInt8]) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            self = .byteOrderMark
        } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
            || bytes.starts(with: [0x7B, 0x00]) || bytes.starts(with: [0x00, 0x7B])
        {
            // Without a byte-order mark, the first character of an event shows it.
            self = .utf16
        } else if bytes.starts(with: [0x1F, 0x8B]) {
            self = .gzip
        } else if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            self = .zstd
        } else {
            return nil
        }
    }

    /// What the input is, and what to do with it.
    ///
    /// - Parameter path: The path of the input; nil if it is not a file.
    func reason(from path: String?) -> String {
        let file = path.map { "'\($0)'" } ?? "FILE"
        return switch self {
        case .byteOrderMark:
            "begins with a byte-order mark, which is no part of JSON: take its three bytes away, `tail -c +4 \(file)`"
        case .utf16: "is UTF-16, and events are UTF-8: convert it, `iconv -f UTF-16 -t UTF-8 \(file)`"
        case .gzip: "is compressed with gzip: unpack it, `gunzip -c \(file)`, and give the lines on standard input"
        case .zstd: "is compressed with zstd: unpack it, `zstd -dc \(file)`, and give the lines on standard input"
        }
    }
}
