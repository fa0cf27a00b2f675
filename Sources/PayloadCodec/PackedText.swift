/// Text in which identifiers stand as bytes instead of hexadecimal digits.
///
/// Events are full of identifiers, whose digits LZ4 cannot shrink: a turn's UUID, a trace's and a span's id. Where a string
/// ends in one, a mark and the identifier's bytes take the digits' place; the marks are bytes that no JSON text holds.
///
/// ```
/// 01  16 bytes   a UUID in its text form, lower case
/// 02  16 bytes   32 hexadecimal digits, lower case
/// 03   8 bytes   16 hexadecimal digits, lower case
/// ```
enum PackedText {
    private static let uuid: UInt8 = 1
    private static let long: UInt8 = 2
    private static let short: UInt8 = 3
    /// No packed text is shorter than its original by more than this factor: 36 characters become 17 bytes.
    static let mostExpansion = 3

    /// Packs text.
    ///
    /// - Parameters:
    ///   - source: JSON, or anything else.
    ///   - target: Room for as many bytes.
    /// - Returns: How many bytes were written; `nil` if the source holds a byte that is one of the marks.
    static func pack(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int? {
        guard let base = source.baseAddress else { return 0 }
        let count = source.count
        var output = unsafe target
        var anchor = 0
        var offset = 0
        while let found = unsafe next(base, from: offset, to: count, orQuote: true) {
            guard unsafe base.load(fromByteOffset: found, as: UInt8.self) == UInt8(ascii: "\"") else { return nil }
            offset = found + 1
            guard let identifier = unsafe Identifier(before: found, from: anchor, in: base) else { continue }
            let plain = found - identifier.length - anchor
            unsafe output.copyMemory(from: base + anchor, byteCount: plain)
            unsafe output += plain
            unsafe output = identifier.write(base + found - identifier.length, to: output)
            anchor = found
        }
        unsafe output.copyMemory(from: base + anchor, byteCount: count - anchor)
        return unsafe output + (count - anchor) - target
    }

    /// Unpacks text.
    ///
    /// - Parameters:
    ///   - source: What was packed, or anything else.
    ///   - target: Exactly as large as the original.
    /// - Returns: Whether the source is packed text of exactly that size.
    static func unpack(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) -> Bool {
        guard let base = source.baseAddress, var output = target.baseAddress else {
            return unsafe source.isEmpty && target.isEmpty
        }
        let count = source.count
        var room = target.count
        var anchor = 0
        while let found = unsafe next(base, from: anchor, to: count, orQuote: false) {
            guard let identifier = unsafe Identifier(mark: base.load(fromByteOffset: found, as: UInt8.self)) else {
                return false
            }
            let plain = found - anchor
            guard found + 1 + identifier.size <= count, plain + identifier.length <= room else { return false }
            unsafe output.copyMemory(from: base + anchor, byteCount: plain)
            unsafe identifier.read(base + found + 1, to: output + plain)
            unsafe output += plain + identifier.length
            room -= plain + identifier.length
            anchor = found + 1 + identifier.size
        }
        guard count - anchor == room else { return false }
        unsafe output.copyMemory(from: base + anchor, byteCount: room)
        return true
    }

    /// The packed form of some bytes, or they themselves where it could not be told from them.
    static func packed(_ bytes: [UInt8]) -> [UInt8] {
        var isPacked = false
        let packed = unsafe [UInt8](unsafeUninitializedCapacity: bytes.count) { target, count in
            guard let base = target.baseAddress else { return }
            guard let size = unsafe bytes.withUnsafeBytes({ unsafe pack($0, to: base) }) else { return }
            isPacked = true
            count = size
        }
        return isPacked ? packed : bytes
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// The first byte below 4, or quotation mark if they are looked for too.
    @inline(__always)
    private static func next(
        _ base: UnsafeRawPointer,
        from start: Int,
        to end: Int,
        orQuote: Bool
    ) -> Int? {
        var offset = start
        while end - offset >= 8 {
            let word = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
            var hits = (word &- ones &* 4) & ~word
            if orQuote {
                let quotes = word ^ (ones &* 0x22)
                hits |= (quotes &- ones) & ~quotes
            }
            hits &= ones &* 0x80
            if hits != 0 { return offset + hits.trailingZeroBitCount >> 3 }
            offset += 8
        }
        while offset < end {
            let byte = unsafe base.load(fromByteOffset: offset, as: UInt8.self)
            if byte < 4 || (orQuote && byte == 0x22) { return offset }
            offset += 1
        }
        return nil
    }

    /// One of the three forms.
    private struct Identifier {
        let mark: UInt8
        /// How many characters its text has.
        let length: Int
        /// How many bytes it has.
        var size: Int { mark == short ? 8 : 16 }

        init?(mark: UInt8) {
            self.mark = mark
            switch mark {
            case uuid: length = 36
            case long: length = 32
            case short: length = 16
            default: return nil
            }
        }

        /// The identifier that ends before an offset, if one does.
        @inline(__always)
        init?(before end: Int, from start: Int, in base: UnsafeRawPointer) {
            let most = min(32, end - start)
            var digits = 0
            while digits < most, unsafe isDigit(base.load(fromByteOffset: end - digits - 1, as: UInt8.self)) {
                digits += 1
            }
            if digits == 12, end - start >= 36, unsafe isUUID(base + end - 36) {
                self.init(mark: uuid)
            } else if digits == 32 {
                self.init(mark: long)
            } else if digits >= 16 {
                self.init(mark: short)
            } else {
                return nil
            }
        }

        /// Writes mark and bytes of the text at `source`.
        @inline(__always)
        func write(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
            unsafe target.storeBytes(of: mark, as: UInt8.self)
            for part in 0..<(size / 4) {
                let digits = unsafe digits(part, of: source)
                unsafe target.storeBytes(
                    of: bytes(of: digits).littleEndian,
                    toByteOffset: 1 + part * 4,
                    as: UInt32.self
                )
            }
            return unsafe target + 1 + size
        }

        /// Writes the text of the bytes at `source`.
        @inline(__always)
        func read(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
            for part in 0..<(size / 4) {
                let bytes = unsafe source.loadUnaligned(fromByteOffset: part * 4, as: UInt32.self).littleEndian
                let digits = text(of: bytes)
                guard mark == uuid else {
                    unsafe target.storeBytes(of: digits.littleEndian, toByteOffset: part * 8, as: UInt64.self)
                    continue
                }
                for half in 0..<2 {
                    let four = UInt32(truncatingIfNeeded: digits >> UInt64(32 * half))
                    unsafe target.storeBytes(
                        of: four.littleEndian,
                        toByteOffset: place(part * 2 + half),
                        as: UInt32.self
                    )
                }
            }
            guard mark == uuid else { return }
            for dash in [8, 13, 18, 23] {
                unsafe target.storeBytes(of: UInt8(ascii: "-"), toByteOffset: dash, as: UInt8.self)
            }
        }

        /// Eight digits of the text, the first one lowest.
        @inline(__always)
        private func digits(_ part: Int, of source: UnsafeRawPointer) -> UInt64 {
            guard mark == uuid else {
                return unsafe source.loadUnaligned(fromByteOffset: part * 8, as: UInt64.self).littleEndian
            }
            let first = unsafe source.loadUnaligned(fromByteOffset: place(part * 2), as: UInt32.self).littleEndian
            let second = unsafe source.loadUnaligned(fromByteOffset: place(part * 2 + 1), as: UInt32.self).littleEndian
            return UInt64(first) | UInt64(second) << 32
        }

        /// Where four digits of a UUID stand in its text, by their number.
        @inline(__always)
        private func place(_ four: Int) -> Int { four * 4 + (four < 2 ? 0 : min(four - 1, 4)) }
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || byte &- 0x61 < 6 }

    /// Whether the 36 characters, of which the last twelve are digits, are a UUID.
    private static func isUUID(_ text: UnsafeRawPointer) -> Bool {
        for offset in 0..<24 {
            let byte = unsafe text.load(fromByteOffset: offset, as: UInt8.self)
            let isDash = offset == 8 || offset == 13 || offset == 18 || offset == 23
            guard isDash ? byte == UInt8(ascii: "-") : isDigit(byte) else { return false }
        }
        return true
    }

    /// The four bytes of eight digits, the first one lowest.
    @inline(__always)
    private static func bytes(of digits: UInt64) -> UInt32 {
        let values = (digits & (ones &* 0x0F)) &+ ((digits >> 6) & ones) &* 9
        let pairs = (values << 4 | values >> 8) & 0x00FF_00FF_00FF_00FF
        let quads = (pairs | pairs >> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: quads | quads >> 16)
    }

    /// The eight digits of four bytes.
    @inline(__always)
    private static func text(of bytes: UInt32) -> UInt64 {
        let quads = (UInt64(bytes) | UInt64(bytes) << 16) & 0x0000_FFFF_0000_FFFF
        let pairs = (quads | quads << 8) & 0x00FF_00FF_00FF_00FF
        let values = (pairs >> 4 & 0x000F_000F_000F_000F) | (pairs & 0x000F_000F_000F_000F) << 8
        let letters = (values &+ ones &* 6) >> 4 & ones
        return values &+ ones &* 0x30 &+ letters &* 0x27
    }
}
