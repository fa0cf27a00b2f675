/// An identifier in one of the forms that ``PackedText`` knows.
struct PackedIdentifier {
    private static let uuid: UInt8 = 1
    private static let long: UInt8 = 2
    private static let short: UInt8 = 3
    private static let near: UInt8 = 5
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// The byte that replaces it in the text.
    let mark: UInt8
    /// How many characters its text has.
    let length: Int
    /// How many bytes it is packed into.
    let size: Int
    /// The first four bytes of the event's id.
    private let event: UInt32

    /// Creates the form that a mark stands for, if there is one; `event` holds the first four bytes of the event's id,
    /// if known.
    init?(mark: UInt8, event: UInt32?) {
        if mark == Self.near, event == nil { return nil }
        self.mark = mark
        self.event = event ?? 0
        switch mark {
        case Self.uuid: (length, size) = (36, 16)
        case Self.near: (length, size) = (36, 12)
        case Self.long: (length, size) = (32, 16)
        case Self.short: (length, size) = (16, 8)
        default: return nil
        }
    }

    /// Finds the identifier that ends before an offset, if there is one.
    @inline(__always)
    init?(before end: Int, from start: Int, in base: UnsafeRawPointer, event: UInt32?) {
        let most = min(32, end - start)
        var digits = 0
        while digits < most, unsafe Self.isDigit(base.load(fromByteOffset: end - digits - 1, as: UInt8.self)) {
            digits += 1
        }
        if digits == 12, end - start >= 36, unsafe Self.isUUID(base + end - 36) {
            // In a UUIDv7, the first four bytes give the minute.
            let minute = unsafe Self.bytes(
                of: base.loadUnaligned(fromByteOffset: end - 36, as: UInt64.self).littleEndian
            )
            self.init(mark: minute == event ? Self.near : Self.uuid, event: event)
        } else if digits == 32 {
            self.init(mark: Self.long, event: event)
        } else if digits >= 16 {
            self.init(mark: Self.short, event: event)
        } else {
            return nil
        }
    }

    /// Packs the text at `source` into bytes.
    @inline(__always)
    func write(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        for part in 0..<(size / 4) {
            let bytes = unsafe Self.bytes(of: digits(part + skipped, of: source))
            unsafe target.storeBytes(of: bytes.littleEndian, toByteOffset: part * 4, as: UInt32.self)
        }
    }

    /// Unpacks the bytes at `source` into text.
    @inline(__always)
    func read(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        for part in 0..<(size / 4 + skipped) {
            let isSkipped = part < skipped
            let bytes =
                isSkipped
                ? event
                : unsafe source.loadUnaligned(fromByteOffset: (part - skipped) * 4, as: UInt32.self).littleEndian
            let digits = Self.text(of: bytes)
            guard isUUID else {
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
        guard isUUID else { return }
        for dash in [8, 13, 18, 23] {
            unsafe target.storeBytes(of: UInt8(ascii: "-"), toByteOffset: dash, as: UInt8.self)
        }
    }

    private var isUUID: Bool { length == 36 }
    /// How many groups of four bytes are left out because they are the event's.
    private var skipped: Int { mark == Self.near ? 1 : 0 }

    /// Eight digits of the text, the first one lowest.
    @inline(__always)
    private func digits(_ part: Int, of source: UnsafeRawPointer) -> UInt64 {
        guard isUUID else {
            return unsafe source.loadUnaligned(fromByteOffset: part * 8, as: UInt64.self).littleEndian
        }
        let first = unsafe source.loadUnaligned(fromByteOffset: place(part * 2), as: UInt32.self).littleEndian
        let second = unsafe source.loadUnaligned(fromByteOffset: place(part * 2 + 1), as: UInt32.self).littleEndian
        return UInt64(first) | UInt64(second) << 32
    }

    /// The offset of a group of four digits in a UUID's text, by its number.
    @inline(__always)
    private func place(_ four: Int) -> Int { four * 4 + (four < 2 ? 0 : min(four - 1, 4)) }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || byte &- 0x61 < 6 }

    /// Whether 36 characters, whose last twelve are known to be digits, are a UUID.
    private static func isUUID(_ text: UnsafeRawPointer) -> Bool {
        for offset in 0..<24 {
            let byte = unsafe text.load(fromByteOffset: offset, as: UInt8.self)
            let isDash = offset == 8 || offset == 13 || offset == 18 || offset == 23
            guard isDash ? byte == UInt8(ascii: "-") : isDigit(byte) else { return false }
        }
        return true
    }

    /// The four bytes that eight digits stand for, the first one lowest.
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
