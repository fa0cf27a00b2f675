/// Where the parts of a frame's sealed section lie; see ``PayloadFrame`` for the layout.
package struct SealedSection: Hashable, Sendable {
    /// The most values that a section can hold.
    static let countLimit = 4096
    /// The most raw bytes that a sealed byte stands for where values have more than ``smallLength`` bytes: a reader
    /// without the key can tell from it how much memory the payload takes at most.
    static let mostExpansion = 16
    /// Values that have at most this many bytes together are small in memory, however well they compress.
    static let smallLength = 1 << 10
    /// Keys have ids below this: a number in a frame has at most five bytes of seven bits.
    static let keyLimit: Int64 = 1 << 35

    /// The id of the subject's key.
    package let key: Int64
    /// How many values were cut out.
    package let count: Int
    /// From the section's beginning to the length of the sealed bytes: this part is authenticated.
    let clear: Range<Int>
    /// The offset of the first place.
    private let placesOffset: Int
    /// Nonce, ciphertext and tag; empty if they were dropped.
    let sealed: Range<Int>

    /// Reads a section and checks everything that does not need its key.
    ///
    /// - Parameters:
    ///   - frame: All of a frame's bytes.
    ///   - offset: Where the section begins; afterwards where it ends.
    init(parsing frame: UnsafeRawBufferPointer, at offset: inout Int) throws(PayloadCodecError) {
        let start = offset
        key = Int64(try unsafe PayloadFrame.readVarint(frame, at: &offset))
        count = try unsafe PayloadFrame.readVarint(frame, at: &offset)
        guard (1...Self.countLimit).contains(count) else {
            throw PayloadCodecError(.corrupt, "the frame's sealed section names \(count) places")
        }
        placesOffset = offset
        for _ in 0..<count { _ = try unsafe PayloadFrame.readVarint(frame, at: &offset) }
        clear = start..<offset
        let length = try unsafe PayloadFrame.readVarint(frame, at: &offset)
        guard length == 0 || length >= SubjectKey.overhead, length <= frame.count - offset else {
            throw PayloadCodecError(.corrupt, "the frame's sealed section is cut off")
        }
        sealed = offset..<(offset + length)
        offset += length
    }

    /// The most bytes that the sealed values can have, if ``PayloadEncoder`` sealed them.
    var valuesLimit: Int { sealed.isEmpty ? 0 : max(sealed.count * Self.mostExpansion, Self.smallLength) }

    /// The offsets of the values in the raw bytes, each that of a `null`, ascending.
    ///
    /// - Throws: ``PayloadCodecError`` with `.corrupt` if one lies outside the raw bytes, or there is no `null` there.
    func places(
        _ frame: UnsafeRawBufferPointer,
        in raw: Span<UInt8>,
        split: Int
    ) throws(PayloadCodecError) -> [Int] {
        var places: [Int] = []
        places.reserveCapacity(count)
        var offset = placesOffset
        var end = 0
        for _ in 0..<count {
            let place = try unsafe end + PayloadFrame.readVarint(frame, at: &offset)
            end = place + Self.null.count
            guard end <= raw.count, (place >= split) == (end > split) else { throw Self.misplaced }
            for index in 0..<Self.null.count where raw[place + index] != Self.null[index] { throw Self.misplaced }
            places.append(place)
        }
        return places
    }

    /// The text that replaces a value that was cut out.
    static let null = Array("null".utf8)

    private static var misplaced: PayloadCodecError {
        PayloadCodecError(.corrupt, "the frame's sealed section names places that hold no null")
    }
}
