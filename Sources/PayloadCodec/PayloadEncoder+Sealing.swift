/// What is cut out of a payload before it is stored, and under which key.
package struct PayloadSeal: Sendable {
    /// The values that are personal, where they lie in the data: ascending, apart from each other.
    package var data: [Range<Int>]
    /// The values that are personal, where they lie in the metadata.
    package var metadata: [Range<Int>]
    /// The id of the subject's key.
    package let keyID: Int64
    /// The subject's key; `nil` if it was destroyed: then the values are dropped.
    package let key: SubjectKey?
    /// What the payload belongs to: the bytes of the stream's id and of the event's.
    package let identity: [UInt8]

    package init(
        data: [Range<Int>],
        metadata: [Range<Int>],
        keyID: Int64,
        key: SubjectKey?,
        identity: [UInt8]
    ) {
        self.data = data
        self.metadata = metadata
        self.keyID = keyID
        self.key = key
        self.identity = identity
    }
}

extension PayloadEncoder {
    /// Makes the frame of a payload of which something is sealed.
    ///
    /// - Parameters:
    ///   - data: A JSON object, at most 1 MiB.
    ///   - metadata: A JSON object, at most 1 MiB.
    ///   - seal: What is cut out, at least one value, and under which key it is sealed.
    /// - Returns: The frame, and what the column `events.encoding` must say of it.
    /// - Throws: ``PayloadCodecError`` with code `.tooLarge`, also if so many values are sealed that the places of their
    ///   `null` do not fit any more.
    package func encode(
        data: [UInt8],
        metadata: [UInt8],
        sealing seal: PayloadSeal
    ) throws(PayloadCodecError) -> (frame: [UInt8], encoding: PayloadEncoding) {
        guard data.count <= PayloadFrame.lengthLimit, metadata.count <= PayloadFrame.lengthLimit else {
            return try encode(data: data, metadata: metadata)
        }
        let cut = CutPayload(data, cutting: seal.data, metadata, cutting: seal.metadata)
        guard cut.places.count <= SealedSection.countLimit else {
            throw PayloadCodecError(
                .tooLarge,
                "the event has \(cut.places.count) personal values; the limit is \(SealedSection.countLimit)"
            )
        }
        var frame: [UInt8] = []
        frame.reserveCapacity(data.count + metadata.count + 64)
        var encoding = try encode(
            data: cut.rest.span.extracting(0..<cut.split),
            metadata: cut.rest.span.extracting(cut.split..<cut.rest.count),
            into: &frame
        )
        var section: [UInt8] = []
        section.append(varint: Int(seal.keyID))
        section.append(varint: cut.places.count)
        var end = 0
        for place in cut.places {
            section.append(varint: place - end)
            end = place + SealedSection.null.count
        }
        if let key = seal.key {
            let inner = try encode(data: cut.values, metadata: [])
            let sealed = try key.seal(inner.frame, context: seal.identity + section)
            section.append(varint: sealed.count)
            section += sealed
            // The column says which dictionary the frame needs; the two parts can need one only.
            if inner.encoding.rawValue > 0 { encoding = inner.encoding }
        } else {
            section.append(varint: 0)
        }
        let header = try unsafe frame.span.withUnsafeBytes { (bytes) throws(PayloadCodecError) in
            try unsafe PayloadFrame(parsing: bytes).bodyOffset
        }
        frame[0] |= PayloadFrame.Flags.sealed.rawValue
        frame.insert(contentsOf: section, at: header)
        return (frame, encoding)
    }
}

/// A payload in two parts: what everybody may read, and what is cut out of it.
private struct CutPayload {
    /// Data and metadata with `null` in the places of what was cut out.
    private(set) var rest: [UInt8] = []
    /// Where in ``rest`` the metadata begins.
    private(set) var split = 0
    /// Where the `null`s stand.
    private(set) var places: [Int] = []
    /// The lengths of all values but the last, and the values.
    private(set) var values: [UInt8] = []

    init(_ data: [UInt8], cutting dataRanges: [Range<Int>], _ metadata: [UInt8], cutting ranges: [Range<Int>]) {
        let all = dataRanges + ranges
        rest.reserveCapacity(data.count + metadata.count + 4 * all.count)
        places.reserveCapacity(all.count)
        values.reserveCapacity(all.reduce(0) { $0 + $1.count + 3 })
        for range in all.dropLast() { values.append(varint: range.count) }
        take(data, cutting: dataRanges)
        split = rest.count
        take(metadata, cutting: ranges)
    }

    private mutating func take(_ json: [UInt8], cutting ranges: [Range<Int>]) {
        var start = 0
        for range in ranges {
            precondition(
                range.lowerBound >= start && range.upperBound <= json.count,
                "values lie in the payload, apart"
            )
            rest += json[start..<range.lowerBound]
            places.append(rest.count)
            rest += SealedSection.null
            values += json[range]
            start = range.upperBound
        }
        rest += json[start...]
    }
}

extension [UInt8] {
    /// Appends an unsigned LEB128 number.
    mutating func append(varint number: Int) {
        var rest = number
        while rest > 127 {
            append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
