internal import Crypto

/// The checksum in a frame's header, over the data's length as four little-endian bytes and then the raw bytes.
enum PayloadChecksum {
    /// Computes the CRC-32C of data and metadata in separate buffers.
    static func of(_ data: UnsafeRawBufferPointer, _ metadata: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CRC32C()
        crc.update(littleEndian: UInt32(truncatingIfNeeded: data.count))
        unsafe crc.update(data)
        unsafe crc.update(metadata)
        return crc.value
    }

    /// Computes the kind of checksum that `flags` ask for.
    ///
    /// - Parameters:
    ///   - raw: Data followed by metadata.
    ///   - dataLength: The offset in `raw` at which the metadata begins.
    ///   - flags: With `.sha256` the beginning of a SHA-256, otherwise a CRC-32C.
    /// - Returns: The four bytes, the first one lowest.
    static func of(_ raw: UnsafeRawBufferPointer, dataLength: Int, flags: PayloadFrame.Flags) -> UInt32 {
        let prefix = UInt32(truncatingIfNeeded: dataLength)
        guard flags.contains(.sha256) else {
            var crc = CRC32C()
            crc.update(littleEndian: prefix)
            unsafe crc.update(raw)
            return crc.value
        }
        var hash = SHA256()
        unsafe withUnsafeBytes(of: prefix.littleEndian) { unsafe hash.update(bufferPointer: $0) }
        unsafe hash.update(bufferPointer: raw)
        return unsafe hash.finalize().withUnsafeBytes { unsafe UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
    }
}
