extension PayloadDecoder {
    /// Puts a frame's sealed values back into its payload.
    ///
    /// - Parameters:
    ///   - section: The frame's sealed section.
    ///   - frame: All of the frame's bytes.
    ///   - open: The payload without the sealed values, at the buffer's end.
    /// - Returns: Where data and metadata then lie in the buffer, and what was erased.
    func restore(
        _ section: SealedSection,
        of frame: UnsafeRawBufferPointer,
        _ open: PayloadRange,
        _ keys: PayloadKeys,
        into buffer: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadRange {
        let start = open.data.lowerBound
        let places = try unsafe section.places(
            frame,
            in: buffer.span.extracting(start...),
            split: open.data.count
        )
        guard let (key, identity) = try keys.key(of: section) else {
            return PayloadRange(data: open.data, metadata: open.metadata, erased: places.map { start + $0 })
        }
        let values = try unsafe values(section, of: frame, key, identity)
        let rest = Array(buffer[start...])
        buffer.removeSubrange(start...)
        var (taken, value, split) = (0, values.start, start + open.data.count)
        for (place, length) in zip(places, values.lengths) {
            buffer += rest[taken..<place]
            buffer += values.bytes[value..<(value + length)]
            if place < open.data.count { split += length - SealedSection.null.count }
            value += length
            taken = place + SealedSection.null.count
        }
        buffer += rest[taken...]
        return PayloadRange(data: start..<split, metadata: split..<buffer.count)
    }

    /// The values that were cut out of a payload.
    private struct Values {
        let bytes: [UInt8]
        /// The offset of the first value in the bytes.
        let start: Int
        let lengths: [Int]
    }

    private func values(
        _ section: SealedSection,
        of frame: UnsafeRawBufferPointer,
        _ key: SubjectKey,
        _ identity: PayloadIdentity
    ) throws(PayloadCodecError) -> Values {
        let context = unsafe identity.bytes + frame[section.clear]
        guard let inner = unsafe key.open(Array(frame[section.sealed])[...], context: context) else {
            throw Self.forged
        }
        var bytes: [UInt8] = []
        try unsafe inner.span.withUnsafeBytes { (inner) throws(PayloadCodecError) in
            let header = try unsafe PayloadFrame(parsing: inner, limit: PayloadFrame.sealedLimit)
            // A frame in a frame is decoded without recursion: an encoder makes none that has a section itself.
            guard header.section == nil else { throw Self.forged }
            let range = try unsafe decode(inner, header, of: nil, .none, into: &bytes)
            bytes.removeSubrange(range.data.upperBound...)
        }
        return try unsafe bytes.span.withUnsafeBytes { (content) throws(PayloadCodecError) in
            var offset = 0
            var lengths: [Int] = []
            for _ in 1..<section.count { lengths.append(try unsafe PayloadFrame.readVarint(content, at: &offset)) }
            let last = content.count - offset - lengths.reduce(0, +)
            guard last >= 0 else { throw Self.forged }
            return Values(bytes: bytes, start: offset, lengths: lengths + [last])
        }
    }

    private static var forged: PayloadCodecError {
        PayloadCodecError(
            .corrupt,
            "what the frame has sealed does not open with its key: it was changed, or belongs to another event; restore the "
                + "event from a backup"
        )
    }
}
