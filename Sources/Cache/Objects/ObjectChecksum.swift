internal import Crypto

/// The SHA-256 of bytes that come in pieces.
struct ObjectChecksum {
    private var digest = SHA256()
    private(set) var size = 0

    mutating func update(_ piece: [UInt8]) {
        digest.update(data: piece)
        size += piece.count
    }

    /// 64 hexadecimal digits.
    var hexadecimal: String { digest.finalize().hexadecimal }

    /// The SHA-256 of bytes, 64 hexadecimal digits.
    static func of(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }

    /// Compares what was read with what was stored.
    ///
    /// - Throws: ``CacheError`` with `.corrupt`.
    func check(_ info: ObjectInfo) throws(CacheError) {
        guard size == info.size else {
            throw CacheError(.corrupt, "object \(info.name) has \(size) bytes, not the \(info.size) that were stored")
        }
        guard let checksum = info.checksum else { return }
        guard checksum == hexadecimal else {
            throw CacheError(.corrupt, "object \(info.name) is damaged: its SHA-256 is not the one it was stored with")
        }
    }
}
