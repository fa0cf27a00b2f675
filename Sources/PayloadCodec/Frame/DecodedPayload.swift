/// A payload as its producer sent it.
package struct DecodedPayload: Hashable, Sendable {
    /// Data and metadata, one after the other; never without metadata, which is `{}` at least.
    package let bytes: [UInt8]
    /// Where in ``bytes`` the metadata begins.
    package let split: Int
    /// Where in ``bytes`` a `null` stands for a value that was erased.
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

/// Where in a buffer a payload was put.
package struct PayloadRange: Hashable, Sendable {
    /// Where the data's JSON lies.
    package let data: Range<Int>
    /// Where the metadata's JSON lies; it is `{}` at least.
    package let metadata: Range<Int>
    /// Where a `null` stands for a value that was erased.
    package let erased: [Int]

    package init(data: Range<Int>, metadata: Range<Int>, erased: [Int] = []) {
        self.data = data
        self.metadata = metadata
        self.erased = erased
    }
}
