/// A payload as its producer sent it.
package struct DecodedPayload: Hashable, Sendable {
    /// Data followed by metadata, which is at least `{}`.
    package let bytes: [UInt8]
    /// The offset in ``bytes`` at which the metadata begins.
    package let split: Int
    /// The offsets in ``bytes`` of each `null` that stands for an erased value.
    package let erased: [Int]

    package init(bytes: [UInt8], split: Int, erased: [Int] = []) {
        self.bytes = bytes
        self.split = split
        self.erased = erased
    }

    /// The data's JSON, as a view.
    package var data: ArraySlice<UInt8> { bytes[..<split] }
    /// The metadata's JSON, as a view.
    package var metadata: ArraySlice<UInt8> { bytes[split...] }
}

/// Where a payload was put in a buffer.
package struct PayloadRange: Hashable, Sendable {
    /// Where the data's JSON lies.
    package let data: Range<Int>
    /// Where the metadata's JSON lies; it is at least `{}`.
    package let metadata: Range<Int>
    /// The offsets of each `null` that stands for an erased value.
    package let erased: [Int]

    package init(data: Range<Int>, metadata: Range<Int>, erased: [Int] = []) {
        self.data = data
        self.metadata = metadata
        self.erased = erased
    }
}
