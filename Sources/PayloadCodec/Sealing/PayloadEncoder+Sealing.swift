extension PayloadEncoder {
    /// Appends the frame of a payload of which something is sealed to a buffer.
    ///
    /// - Parameters:
    ///   - data: A JSON object, at most 1 MiB.
    ///   - metadata: A JSON object, at most 1 MiB.
    ///   - seal: What is cut out, at least one value, and under which key it is sealed.
    ///   - frames: Gets the frame at its end; unchanged if this throws.
    /// - Returns: What the column `events.encoding` must say of the frame.
    /// - Throws: ``PayloadCodecError`` with code `.tooLarge`, also if so many values are sealed that the places of
    ///   their `null` do not fit any more.
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
        // A short value makes room for a longer `null`, and its length is kept.
        let most = data.count + metadata.count + seal.count * SealedSection.null.count
        return try withScratch(for: most) { (scratch) throws(PayloadCodecError) in
            try scratch.encode(data: data, metadata: metadata, sealing: seal, into: &frames)
        }
    }

    /// Appends the frame of a payload of which something is sealed to a buffer; see
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

    /// Makes the frame of a payload of which something is sealed; see
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
