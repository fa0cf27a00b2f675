/// How hard an encoder looks for matches. The frames are the same kind either way, and decode equally fast.
package enum PayloadCompression: Hashable, Sendable {
    /// LZ4, for events that are being appended.
    case fast
    /// LZ4-HC, ten times slower or more, for idle time and sealed sessions.
    ///
    /// - Parameter level: 3 … 12; LZ4 clamps other values.
    case high(level: Int)
    /// None: the body is the raw bytes, which SQL can read.
    case none
}

/// The value of the column `events.encoding` for a frame, which lets SQL see which dictionaries are in use.
package struct PayloadEncoding: RawRepresentable, Hashable, Sendable {
    /// 0: not compressed. -1: LZ4 without a dictionary. 1 … 32767: LZ4 with the dictionary of that id.
    package let rawValue: Int16

    /// The encoding for a value of the column.
    package init(rawValue: Int16) {
        self.rawValue = rawValue
    }

    /// The body is the raw bytes.
    package static let identity = PayloadEncoding(rawValue: 0)
    /// The body is an LZ4 block that needs no dictionary.
    package static let lz4 = PayloadEncoding(rawValue: -1)
}
