/// Where in a frame the parts of its sealed section lie; see ``PayloadFrame`` for the layout.
package struct SealedSection: Hashable, Sendable {
    /// The most values that a section has.
    static let countLimit = 4096
    /// How many raw bytes a sealed byte of a large payload stands for at most, so that who has no
    /// key knows about how much memory it takes.
    static let mostExpansion = 16

    /// The id of the subject's key.
    package let key: Int64
    /// How many values were cut out.
    package let count: Int
    /// Where the section begins, and where the length of what is sealed does: that much of it is authenticated.
    let clear: Range<Int>
    /// Where the first place stands.
    private let placesOffset: Int
    /// Nonce, ciphertext and tag; empty if they were dropped.
    let sealed: Range<Int>

    /// Reads a section and checks all that can be known without its key.
    ///
    /// - Parameters:
    ///   - frame: All of a frame's bytes.
    ///   - offset: Where the section begins; then, where it ends.
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

    /// The places of the values in the raw bytes, each that of a `null`, ascending.
    ///
    /// - Throws: ``PayloadCodecError`` with `.corrupt` if they do not lie in
    ///   the raw bytes, or there is no `null` there.
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

    /// What stands in the place of a value that was cut out.
    static let null = Array("null".utf8)

    private static var misplaced: PayloadCodecError {
        PayloadCodecError(.corrupt, "the frame's sealed section names places that hold no null")
    }
}
