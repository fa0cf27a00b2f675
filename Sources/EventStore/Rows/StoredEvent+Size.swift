internal import PayloadCodec

extension StoredEvent {
    /// How many bytes data and metadata have at most when they are decoded; of
    /// what cannot be read, how many are stored.
    package var decodedSize: Int {
        let header = try? unsafe payload.span.withUnsafeBytes { (bytes) throws(PayloadCodecError) in
            try unsafe PayloadFrame(parsing: bytes)
        }
        return max(header?.decodedLimit ?? 0, payload.count)
    }
}

extension [StoredEvent] {
    /// What the events of a batch may take together when they are decoded, in bytes. A megabyte of one letter is stored
    /// in four thousand bytes, so what is stored says little.
    private static var largest: Int { 32 << 20 }

    /// The first events that fit into memory together: one, at least.
    package var fitting: [StoredEvent] {
        var size = 0
        for (place, event) in enumerated() {
            size += event.decodedSize
            if size > Self.largest, place > 0 { return Array(self[..<place]) }
        }
        return self
    }
}
