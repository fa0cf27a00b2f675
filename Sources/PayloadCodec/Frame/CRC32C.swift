/// The CRC-32C checksum (Castagnoli, polynomial 0x1EDC6F41 reflected), as iSCSI defines it in RFC 3720.
///
/// Eight bytes a step with eight tables ("slicing by 8", Kounavis and Berry, 2005): the tables take 8 KiB, so they and
/// LZ4's state of 16 KiB fit the first-level cache together.
package struct CRC32C {
    private var state: UInt32 = ~0

    /// Starts a checksum, of no bytes yet.
    package init() {}

    /// The checksum of all bytes added so far.
    package var value: UInt32 { ~state }

    /// Adds the four bytes of `word`, the lowest first.
    mutating func update(littleEndian word: UInt32) {
        let tables = unsafe CRC32CTables.shared.base
        let mixed = state ^ word
        let low = unsafe tables[768 + Int(mixed & 255)] ^ tables[512 + Int((mixed >> 8) & 255)]
        let high = unsafe tables[256 + Int((mixed >> 16) & 255)] ^ tables[Int(mixed >> 24)]
        state = low ^ high
    }

    /// Adds all `bytes`, in order.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard var pointer = bytes.baseAddress else { return }
        let tables = unsafe CRC32CTables.shared.base
        var crc = state
        var left = bytes.count
        while left >= 8 {
            let word = unsafe UInt64(littleEndian: pointer.loadUnaligned(as: UInt64.self)) ^ UInt64(crc)
            let a = unsafe tables[1792 + Int(word & 255)] ^ tables[1536 + Int((word >> 8) & 255)]
            let b = unsafe tables[1280 + Int((word >> 16) & 255)] ^ tables[1024 + Int((word >> 24) & 255)]
            let c = unsafe tables[768 + Int((word >> 32) & 255)] ^ tables[512 + Int((word >> 40) & 255)]
            let d = unsafe tables[256 + Int((word >> 48) & 255)] ^ tables[Int(word >> 56)]
            crc = (a ^ b) ^ (c ^ d)
            unsafe pointer += 8
            left -= 8
        }
        while left > 0 {
            crc = unsafe (crc >> 8) ^ tables[Int((crc ^ UInt32(pointer.load(as: UInt8.self))) & 255)]
            unsafe pointer += 1
            left -= 1
        }
        state = crc
    }
}

/// The eight tables of ``CRC32C``, one after the other; made once and never freed.
@safe private struct CRC32CTables: @unchecked Sendable {
    // SAFETY: the memory is written before the only instance is published, and read only from then on.
    let base: UnsafePointer<UInt32>

    static let shared = CRC32CTables()

    private init() {
        let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 0 ? 0 : 0x82F6_3B78) }
            unsafe (tables + byte).initialize(to: crc)
        }
        for index in 256..<(8 * 256) {
            let previous = unsafe tables[index - 256]
            unsafe (tables + index).initialize(to: (previous >> 8) ^ tables[Int(previous & 255)])
        }
        unsafe base = UnsafePointer(tables)
    }
}
