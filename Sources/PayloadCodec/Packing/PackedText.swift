/// Text in which marks stand for identifiers and numbers, followed by their values as bytes, the first one last.
///
/// Events are full of identifiers, whose digits LZ4 cannot shrink: a turn's UUID, a trace's and a span's id. Latencies
/// and amounts are never the same twice. A mark replaces the digits; marks are bytes that no JSON text holds. The rest
/// is alike from event to event, and LZ4 finds one long match where the digits would have left several short ones.
/// Unpacking reads the text forwards and the values backwards, until they meet.
///
/// ```
/// 01  16 bytes    a UUID in its text form, lower case, at the end of a string
/// 02  16 bytes    32 hexadecimal digits, lower case, at the end of a string
/// 03   8 bytes    16 hexadecimal digits, lower case, at the end of a string
/// 04  2–8 bytes   3 to 15 decimal digits and points, anywhere: see `PackedNumber`
/// 05  12 bytes    a UUID as above, without its first four bytes, which equal those of the event's id
/// ```
///
/// Frames of format 1 have only the first three, and each identifier directly follows its mark.
enum PackedText {
    /// No packed text is shorter than its original by more than this factor: 36 characters become 17 bytes.
    static let mostExpansion = 3

    /// How packed text is laid out.
    enum Layout {
        /// Format 1: each value follows its mark.
        case inline
        /// Format 2, the one that is written: the values follow the text.
        case behind

        /// The first byte value that is not a mark.
        fileprivate var marksEnd: UInt8 { self == .inline ? 4 : 6 }
    }

    /// Packs text.
    ///
    /// - Parameters:
    ///   - source: JSON, or anything else.
    ///   - event: The first four bytes of the event's id, if it is known.
    ///   - text: Where text and marks are written; afterwards their end.
    ///   - values: The end of the room for the values, which grow downwards; afterwards their beginning. Text and
    ///     values together take no more bytes than the source has.
    /// - Returns: Whether it was packed; `false` if the source holds a byte that is one of the marks.
    static func pack(
        _ source: UnsafeRawBufferPointer,
        of event: UInt32?,
        to text: inout UnsafeMutableRawPointer,
        _ values: inout UnsafeMutableRawPointer
    ) -> Bool {
        guard let base = source.baseAddress else { return true }
        let count = source.count
        var anchor = 0
        var offset = 0
        while let found = unsafe next(base, from: offset, to: count, below: Layout.behind.marksEnd, orQuote: true) {
            guard unsafe base.load(fromByteOffset: found, as: UInt8.self) == UInt8(ascii: "\"") else { return false }
            offset = found + 1
            guard let identifier = unsafe PackedIdentifier(before: found, from: anchor, in: base, event: event) else {
                continue
            }
            let begin = found - identifier.length
            unsafe packNumbers(base, from: anchor, to: begin, &text, &values)
            unsafe text.storeBytes(of: identifier.mark, as: UInt8.self)
            unsafe text += 1
            unsafe values -= identifier.size
            unsafe identifier.write(base + begin, to: values)
            anchor = found
        }
        unsafe packNumbers(base, from: anchor, to: count, &text, &values)
        return true
    }

    /// Packs text that holds no identifier.
    private static func packNumbers(
        _ base: UnsafeRawPointer,
        from start: Int,
        to end: Int,
        _ text: inout UnsafeMutableRawPointer,
        _ values: inout UnsafeMutableRawPointer
    ) {
        var anchor = start
        while let number = unsafe PackedNumber(from: anchor, to: end, in: base) {
            let plain = number.begin - anchor
            unsafe text.copyMemory(from: base + anchor, byteCount: plain)
            unsafe text.storeBytes(of: PackedNumber.mark, toByteOffset: plain, as: UInt8.self)
            unsafe text += plain + 1
            unsafe values -= number.size
            unsafe number.write(from: base, to: values)
            anchor = number.begin + number.length
        }
        unsafe text.copyMemory(from: base + anchor, byteCount: end - anchor)
        unsafe text += end - anchor
    }

    /// Unpacks text.
    ///
    /// - Parameters:
    ///   - source: Packed text, or anything else.
    ///   - layout: How it is laid out.
    ///   - event: The first four bytes of the event's id, if it is known.
    ///   - target: Exactly as large as the original.
    /// - Returns: Whether the source is packed text of exactly that size.
    static func unpack(
        _ source: UnsafeRawBufferPointer,
        _ layout: Layout,
        of event: UInt32?,
        to target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let base = source.baseAddress, var output = target.baseAddress else {
            return unsafe source.isEmpty && target.isEmpty
        }
        var end = source.count
        var room = target.count
        var anchor = 0
        while let found = unsafe next(base, from: anchor, to: end, below: layout.marksEnd, orQuote: false) {
            let plain = found - anchor
            guard plain <= room else { return false }
            unsafe output.copyMemory(from: base + anchor, byteCount: plain)
            unsafe output += plain
            room -= plain
            anchor = found + 1
            let mark = unsafe base.load(fromByteOffset: found, as: UInt8.self)
            let length: Int
            if mark == PackedNumber.mark {
                guard let number = unsafe PackedNumber(before: end, from: anchor, in: base) else { return false }
                guard number.length <= room, unsafe number.read(from: base, to: output) else { return false }
                length = number.length
                end = number.begin
            } else {
                guard let identifier = PackedIdentifier(mark: mark, event: event), identifier.length <= room else {
                    return false
                }
                guard anchor + identifier.size <= end else { return false }
                length = identifier.length
                switch layout {
                case .inline:
                    unsafe identifier.read(base + anchor, to: output)
                    anchor += identifier.size
                case .behind:
                    end -= identifier.size
                    unsafe identifier.read(base + end, to: output)
                }
            }
            unsafe output += length
            room -= length
        }
        guard end - anchor == room else { return false }
        unsafe output.copyMemory(from: base + anchor, byteCount: room)
        return true
    }

    /// The text that LZ4 compresses for some bytes: packed, without its values, or the bytes themselves if they cannot
    /// be packed. `event` holds the first four bytes of the event's id, if known.
    static func text(of bytes: [UInt8], event: UInt32?) -> [UInt8] {
        var isPacked = false
        let packed = unsafe [UInt8](unsafeUninitializedCapacity: bytes.count * 2) { target, count in
            guard let base = target.baseAddress else { return }
            var end = UnsafeMutableRawPointer(base)
            var values = unsafe UnsafeMutableRawPointer(base + target.count)
            isPacked = unsafe bytes.withUnsafeBytes { unsafe pack($0, of: event, to: &end, &values) }
            count = isPacked ? unsafe end - UnsafeMutableRawPointer(base) : 0
        }
        return isPacked ? packed : bytes
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// The offset of the first byte below `limit`, or of a quotation mark if asked for.
    @inline(__always)
    private static func next(
        _ base: UnsafeRawPointer,
        from start: Int,
        to end: Int,
        below limit: UInt8,
        orQuote: Bool
    ) -> Int? {
        var offset = start
        while end - offset >= 8 {
            let word = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
            var hits = (word &- ones &* UInt64(limit)) & ~word
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
            if byte < limit || (orQuote && byte == 0x22) { return offset }
            offset += 1
        }
        return nil
    }
}
