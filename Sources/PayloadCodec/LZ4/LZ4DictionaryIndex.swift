/// Where in a dictionary a long match is likely to begin: ``LZ4Block`` looks it up and never writes it.
///
/// A sequence of bytes that many events share, say `{"turnId":"`, occurs in a dictionary many times, each time followed
/// by something else. If only one of these places is known, a short match is found, and then another one. So there is a
/// table for each of four lengths, and a position is looked up under the longest known one. Decision 0005 has the
/// figures.
@safe final class LZ4DictionaryIndex: @unchecked Sendable {
    // SAFETY: The tables are written by the initializer only.

    /// The lengths of the indexed sequences, the shortest first.
    enum Length: Int, CaseIterable {
        case five = 5
        case twelve = 12
        case twentyFour = 24
        case fortyEight = 48
    }

    private static let tableBits = 16
    private static let tag: UInt64 = 0xFFFF

    /// A table for each length. An entry holds the position in its low half, and sixteen more bits of the hash in its
    /// high half.
    private let tables: UnsafeMutablePointer<UInt32>

    /// Indexes a dictionary.
    ///
    /// - Parameter dictionary: At most 64 KiB. Of repeated sequences, the last occurrence is found.
    init(_ dictionary: [UInt8]) {
        let count = Length.allCases.count << Self.tableBits
        unsafe tables = .allocate(capacity: count)
        unsafe tables.initialize(repeating: 0, count: count)
        unsafe dictionary.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            // A hash reads whole words, so the shortest sequence needs three more bytes after it.
            for position in 0..<max(0, bytes.count - 7) {
                for length in Length.allCases where position + length.rawValue <= bytes.count {
                    let hash = unsafe Self.hash(length, base + position)
                    let entry = UInt32(truncatingIfNeeded: hash & Self.tag) << 16 | UInt32(position)
                    unsafe tables[Self.slot(length, hash)] = entry
                }
            }
        }
    }

    deinit {
        unsafe tables.deallocate()
    }

    /// The likely place of the longest known sequence that equals the bytes at `pointer`; the caller must compare them.
    ///
    /// - Parameters:
    ///   - pointer: At least 8 bytes.
    ///   - count: How many bytes there are.
    @inline(__always)
    func position(of pointer: UnsafePointer<UInt8>, count: Int) -> Int? {
        // A sequence known under one length is nearly always known under each shorter one.
        guard let twelve = unsafe entry(.twelve, pointer, count) else { return unsafe entry(.five, pointer, count) }
        guard let twentyFour = unsafe entry(.twentyFour, pointer, count) else { return twelve }
        return unsafe entry(.fortyEight, pointer, count) ?? twentyFour
    }

    @inline(__always)
    private func entry(_ length: Length, _ pointer: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        guard count >= length.rawValue else { return nil }
        let hash = unsafe Self.hash(length, pointer)
        let entry = unsafe tables[Self.slot(length, hash)]
        return UInt64(entry >> 16) == hash & Self.tag ? Int(entry & 0xFFFF) : nil
    }

    @inline(__always)
    private static func slot(_ length: Length, _ hash: UInt64) -> Int {
        let table =
            switch length {
            case .five: 0
            case .twelve: 1
            case .twentyFour: 2
            case .fortyEight: 3
            }
        return table << tableBits | Int(truncatingIfNeeded: hash >> UInt64(64 - tableBits))
    }

    /// A hash of the first bytes at a pointer: its best bits are the high ones, the tag is in the low ones.
    @inline(__always)
    private static func hash(_ length: Length, _ pointer: UnsafePointer<UInt8>) -> UInt64 {
        let first = unsafe word(pointer)
        let mixed =
            switch length {
            case .five: first << 24
            case .twelve: unsafe mix(first, word(pointer + 4))
            case .twentyFour: unsafe mix(mix(first, word(pointer + 8)), word(pointer + 16))
            case .fortyEight:
                unsafe mix(
                    mix(mix(first, word(pointer + 8)), mix(word(pointer + 16), word(pointer + 24))),
                    mix(word(pointer + 32), word(pointer + 40))
                )
            }
        let product = mixed &* 0x9E37_79B1_85EB_CA87
        return product ^ (product >> 32)
    }

    @inline(__always)
    private static func mix(_ one: UInt64, _ other: UInt64) -> UInt64 {
        (one &* 0xC2B2_AE3D_27D4_EB4F) ^ (other << 31 | other >> 33)
    }

    @inline(__always)
    private static func word(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        unsafe UInt64(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
    }
}
