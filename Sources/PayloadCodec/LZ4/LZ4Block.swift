/// Compresses small messages against a dictionary into LZ4 blocks, which liblz4 decodes.
///
/// liblz4's own fast compressor copies its state (16 KiB) for each message, and indexes a dictionary in a table of
/// 4,096 slots, each of which a dictionary of 64 KiB overwrites five times. Here the dictionary has an index that is
/// never written again, and a message has a table sized to it. Decision 0001 has the figures.
///
/// The format is lz4_Block_format.md of the LZ4 project: the last match begins at least 12 bytes before the end, and
/// the last 5 bytes are literals.
///
/// Only for one caller at a time: ``PayloadScratch`` owns one, and is handed to one caller.
@safe final class LZ4Block {
    /// The longest message.
    static let capacity = 1 << 16
    /// How many bytes may be written after the block's end, within the room given.
    static let slack = 16

    private static let messageBits = 8...13

    /// The dictionary, and directly after it the message.
    private let base: UnsafePointer<UInt8>
    private let dictionaryCount: Int
    private let dictionary: LZ4DictionaryIndex?
    /// Positions in the message, by a hash of five bytes; the number of slots used depends on the message's size.
    private let message: UnsafeMutablePointer<UInt16>

    /// - Parameters:
    ///   - base: The dictionary, which must not move; after it is room for `capacity` bytes.
    ///   - dictionaryCount: The dictionary's size, at most 64 KiB.
    ///   - dictionary: The index of its sequences.
    init(base: UnsafeRawPointer, dictionaryCount: Int, dictionary: LZ4DictionaryIndex?) {
        unsafe self.base = base.assumingMemoryBound(to: UInt8.self)
        self.dictionaryCount = dictionaryCount
        self.dictionary = dictionary
        unsafe message = .allocate(capacity: 1 << Self.messageBits.upperBound)
        unsafe message.initialize(repeating: 0, count: 1 << Self.messageBits.upperBound)
    }

    deinit {
        unsafe message.deallocate()
    }

    /// Compresses the message of `count` bytes that lies after the dictionary.
    ///
    /// - Parameter target: Room for ``LZ4State/bound(_:)`` of `count` bytes, and ``slack`` more.
    /// - Returns: The block's size.
    func compress(count: Int, into target: UnsafeMutableRawPointer) -> Int {
        var output = unsafe target.assumingMemoryBound(to: UInt8.self)
        let start = unsafe base + dictionaryCount
        let end = unsafe start + count
        var anchor = unsafe start
        if count > 12 {
            let bits = min(
                max(Self.messageBits.lowerBound, Int.bitWidth - count.leadingZeroBitCount),
                Self.messageBits.upperBound
            )
            unsafe message.update(repeating: 0, count: 1 << bits)
            let lastStart = unsafe end - 12
            let lastEnd = unsafe end - 5
            var position = unsafe start
            while unsafe position <= lastStart {
                var found = unsafe match(at: position, start: start, limit: lastEnd, bits: bits)
                guard found.length >= 4 else {
                    unsafe position += 1 + (position - anchor) >> 4
                    continue
                }
                // A longer match that begins one byte later is worth an extra literal.
                while unsafe position < lastStart {
                    let next = unsafe match(at: position + 1, start: start, limit: lastEnd, bits: bits)
                    guard next.length > found.length + 1 else { break }
                    unsafe position += 1
                    found = next
                }
                var source = unsafe position - found.distance
                while unsafe position > anchor, unsafe source > base, unsafe position[-1] == source[-1] {
                    unsafe position -= 1
                    unsafe source -= 1
                    found.length += 1
                }
                unsafe output = Self.sequence(anchor, position - anchor, found, to: output)
                unsafe anchor = position + found.length
                // The next repetition is likely to begin at the match's last positions.
                let inside = unsafe anchor - 2
                if unsafe inside <= lastStart {
                    unsafe message[Self.hash(five: Self.word(inside), bits)] = UInt16(inside - start)
                }
                unsafe position = anchor
            }
        }
        let rest = unsafe end - anchor
        unsafe output = Self.token(literals: rest, match: 0, to: output)
        unsafe output.update(from: anchor, count: rest)
        return unsafe output + rest - target.assumingMemoryBound(to: UInt8.self)
    }

    private struct Match {
        var length: Int
        var distance: Int
    }

    /// Returns the longer of the two matches that the tables know, and enters the position.
    @inline(__always)
    private func match(
        at position: UnsafePointer<UInt8>,
        start: UnsafePointer<UInt8>,
        limit: UnsafePointer<UInt8>,
        bits: Int
    ) -> Match {
        let word = unsafe Self.word(position)
        var best = Match(length: 0, distance: 0)
        let slot = Self.hash(five: word, bits)
        unsafe Self.consider(start + Int(message[slot]), position, word, limit, &best)
        unsafe message[slot] = UInt16(truncatingIfNeeded: position - start)
        if let known = unsafe dictionary?.position(of: position, count: limit - position) {
            unsafe Self.consider(base + known, position, word, limit, &best)
        }
        return best
    }

    @inline(__always)
    private static func consider(
        _ source: UnsafePointer<UInt8>,
        _ position: UnsafePointer<UInt8>,
        _ word: UInt64,
        _ limit: UnsafePointer<UInt8>,
        _ best: inout Match
    ) {
        let distance = unsafe position - source
        guard distance > 0, distance < 1 << 16 else { return }
        var difference = unsafe self.word(source) ^ word
        guard UInt32(truncatingIfNeeded: difference) == 0 else { return }
        var length = 0
        let most = unsafe limit - position
        while difference == 0 {
            length += 8
            guard length + 8 <= most else {
                while length < most, unsafe source[length] == position[length] { length += 1 }
                break
            }
            difference = unsafe self.word(source + length) ^ self.word(position + length)
        }
        if difference != 0 { length += difference.trailingZeroBitCount >> 3 }
        length = min(length, most)
        if length > best.length { best = Match(length: length, distance: distance) }
    }

    @inline(__always)
    private static func sequence(
        _ literals: UnsafePointer<UInt8>,
        _ count: Int,
        _ match: Match,
        to target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var output = unsafe token(literals: count, match: match.length - 4, to: target)
        // Eight at a time: at least nine bytes of the message follow the literals, and slack follows the block.
        var copied = 0
        while copied < count {
            unsafe UnsafeMutableRawPointer(output + copied).storeBytes(of: word(literals + copied), as: UInt64.self)
            copied += 8
        }
        unsafe output += count
        unsafe output[0] = UInt8(truncatingIfNeeded: match.distance)
        unsafe output[1] = UInt8(truncatingIfNeeded: match.distance >> 8)
        unsafe output += 2
        return unsafe match.length - 4 >= 15 ? tail(match.length - 19, to: output) : output
    }

    @inline(__always)
    private static func token(
        literals: Int,
        match: Int,
        to target: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        unsafe target[0] = UInt8(min(literals, 15) << 4 | min(match, 15))
        return unsafe literals >= 15 ? tail(literals - 15, to: target + 1) : target + 1
    }

    /// Writes the part of a number that did not fit the token's nibble.
    private static func tail(_ number: Int, to target: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        var output = unsafe target
        var rest = number
        while rest >= 255 {
            unsafe output[0] = 255
            unsafe output += 1
            rest -= 255
        }
        unsafe output[0] = UInt8(rest)
        return unsafe output + 1
    }

    @inline(__always)
    private static func word(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        unsafe UInt64(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
    }

    /// The slot in a message's table for the position at which `word` was read: a hash of its first five bytes.
    @inline(__always)
    private static func hash(five word: UInt64, _ bits: Int) -> Int {
        Int(truncatingIfNeeded: ((word << 24) &* 0x9E37_79B1_85EB_CA87) >> UInt64(truncatingIfNeeded: 64 - bits))
    }
}
