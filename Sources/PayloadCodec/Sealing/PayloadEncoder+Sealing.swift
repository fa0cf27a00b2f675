extension PayloadEncoder {
    /// Encodes a payload of which some values are sealed, and appends its frame to a buffer.
    ///
    /// - Parameters:
    ///   - data: A JSON object, at most 1 MiB.
    ///   - metadata: A JSON object, at most 1 MiB.
    ///   - seal: Which values are cut out, at least one, and the key that seals them.
    ///   - frames: The frame is appended to it; unchanged if this throws.
    /// - Returns: What the column `events.encoding` must say of the frame.
    /// - Throws: ``PayloadCodecError`` with code `.tooLarge`, also if more values are sealed than a section can hold;
    ///   `.badKey` if the key's id is not 0 … 2³⁵ - 1.
    @discardableResult
    package func encode(
        data: Span<UInt8>,
        metadata: Span<UInt8>,
        sealing seal: PayloadSeal,
        into frames: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadEncoding {
        try Self.check(data, metadata)
        guard seal.count <= SealedSection.countLimit else {
            throw PayloadCodecError(
                .tooLarge,
                "the event has \(seal.count) personal values; the limit is \(SealedSection.countLimit)"
            )
        }
        // The id comes from the database.
        guard (0..<SealedSection.keyLimit).contains(seal.keyID) else {
            throw PayloadCodecError(.badKey, "a frame cannot name key \(seal.keyID): its id must be below 2^35")
        }
        // A short value is replaced by a longer `null`, and its length is stored too.
        let most = data.count + metadata.count + seal.count * SealedSection.null.count
        return try withScratch(for: most) { (scratch) throws(PayloadCodecError) in
            try scratch.encode(data: data, metadata: metadata, sealing: seal, into: &frames)
        }
    }

    /// Encodes a payload with sealed values into a buffer; see
    /// ``encode(data:metadata:sealing:into:)-(Span<UInt8>,_,_,_)``.
    @discardableResult
    package func encode(
        data: [UInt8],
        metadata: [UInt8],
        sealing seal: PayloadSeal,
        into frames: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadEncoding {
        try encode(data: data.span, metadata: metadata.span, sealing: seal, into: &frames)
    }

    /// Encodes a payload with sealed values into a frame; see
    /// ``encode(data:metadata:sealing:into:)-(Span<UInt8>,_,_,_)``.
    ///
    /// - Returns: The frame, and what the column `events.encoding` must say of it.
    package func encode(
        data: [UInt8],
        metadata: [UInt8],
        sealing seal: PayloadSeal
    ) throws(PayloadCodecError) -> (frame: [UInt8], encoding: PayloadEncoding) {
        var frame: [UInt8] = []
        let encoding = try encode(data: data.span, metadata: metadata.span, sealing: seal, into: &frame)
        return (frame, encoding)
    }
}
