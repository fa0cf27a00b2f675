internal import PayloadCodec

extension StoredEvent {
    /// The most bytes that data and metadata can have once decoded, as ``PayloadFrame/decodedLimit`` tells; the stored
    /// size for a frame that cannot be read.
    package var decodedSize: Int {
        let header = try? unsafe payload.span.withUnsafeBytes { (bytes) throws(PayloadCodecError) in
            try unsafe PayloadFrame(parsing: bytes)
        }
        return max(header?.decodedLimit ?? 0, payload.count)
    }
}

extension [StoredEvent] {
    /// How many bytes the events of a batch may take together when they are decoded. A megabyte of one letter is stored
    /// in four thousand bytes, so the stored size says little.
    private static var largest: Int { 32 << 20 }

    /// The first events that fit into memory together; at least one.
    package var fitting: [StoredEvent] {
        var size = 0
        for (place, event) in enumerated() {
            size += event.decodedSize
            if size > Self.largest, place > 0 { return Array(self[..<place]) }
        }
        return self
    }
}
