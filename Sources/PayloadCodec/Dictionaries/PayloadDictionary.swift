internal import Crypto

/// Bytes that payloads resemble; LZ4 refers to them instead of repeating them.
///
/// A frame carries the id, so the content under an id must never change while a frame needs it.
package struct PayloadDictionary: Hashable, Sendable {
    /// The ids that a dictionary may have: what a `smallint` holds, without 0, which means none.
    package static let ids = 1...Int(Int16.max)
    /// The most bytes of a dictionary that LZ4 can reach: 64 KiB.
    package static let sizeLimit = 1 << 16

    /// The id that frames carry.
    package let id: Int16
    /// The content, its most used parts last.
    package let bytes: [UInt8]
    /// The SHA-256 of the content.
    package let checksum: [UInt8]

    /// Checks a dictionary, either a new one or one stored with its checksum.
    ///
    /// - Parameters:
    ///   - id: 1 … 32767.
    ///   - bytes: 1 … 65,536 bytes.
    ///   - checksum: The SHA-256 that was stored with it; `nil` for a new one.
    /// - Throws: ``PayloadCodecError`` with code `.badDictionary` if one of these does not hold.
    package init(id: Int, bytes: [UInt8], checksum: [UInt8]? = nil) throws(PayloadCodecError) {
        guard Self.ids.contains(id) else {
            throw PayloadCodecError(.badDictionary, "a dictionary's id must be 1 to \(Int16.max), not \(id)")
        }
        guard (1...Self.sizeLimit).contains(bytes.count) else {
            throw PayloadCodecError(
                .badDictionary,
                "dictionary \(id) has \(bytes.count) bytes; it must have 1 to \(Self.sizeLimit)"
            )
        }
        let computed = Array(SHA256.hash(data: bytes))
        guard checksum == nil || checksum == computed else {
            throw PayloadCodecError(
                .badDictionary,
                "dictionary \(id) does not match the checksum stored with it: restore its row from a backup"
            )
        }
        self.id = Int16(id)
        self.bytes = bytes
        self.checksum = computed
    }
}
