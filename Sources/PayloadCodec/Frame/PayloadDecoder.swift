package import FoundationEssentials

/// Decodes frames, ours and those of SQL clients, and trusts none of them. Any number of tasks may use one decoder.
///
/// Whatever the bytes are, decoding returns the payload that was encoded or throws; it allocates nothing before the
/// declared lengths were checked against their limits and against the body.
package struct PayloadDecoder: Sendable {
    /// The dictionaries that this decoder knows.
    package let dictionaries: DictionaryStore

    /// Creates a decoder.
    ///
    /// - Parameter dictionaries: Where it looks for dictionaries; those inserted later count too.
    package init(dictionaries: DictionaryStore = DictionaryStore()) {
        self.dictionaries = dictionaries
    }

    /// Decodes one frame and appends the payload to a buffer, which can be reused for the next batch.
    ///
    /// - Parameters:
    ///   - frame: The bytes of exactly one frame.
    ///   - event: The event's id.
    ///   - keys: What may be read of a sealed frame.
    ///   - buffer: Data and metadata are appended to it; it is unchanged if this throws.
    /// - Returns: Where they lie in the buffer.
    /// - Throws: ``PayloadCodecError``; with code `.unknownDictionary` or `.missingKey`, load that dictionary or key
    ///   and decode again.
    package func decode(
        _ frame: UnsafeRawBufferPointer,
        of event: UUID? = nil,
        keys: PayloadKeys = .none,
        into buffer: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadRange {
        try unsafe decode(frame, PayloadFrame(parsing: frame), of: event, keys, into: &buffer)
    }

    /// Decodes a frame whose header was already read.
    func decode(
        _ frame: UnsafeRawBufferPointer,
        _ header: PayloadFrame,
        of event: UUID?,
        _ keys: PayloadKeys,
        into buffer: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadRange {
        let known = try dictionaryBytes(header)
        let start = buffer.count
        let split = start + header.dataLength
        let length = max(header.rawLength, header.dataLength + (header.metadataLength == 0 ? 2 : 0))
        var sound = false
        buffer.append(addingCapacity: length) { output in
            unsafe output.withUnsafeMutableBufferPointer { target, count in
                sound = unsafe Self.fill(
                    UnsafeMutableRawBufferPointer(target),
                    from: frame,
                    header,
                    of: event?.prefix,
                    known
                )
                count = sound ? length : 0
            }
        }
        guard sound else { throw Self.mismatch }
        let range = PayloadRange(data: start..<split, metadata: split..<(start + length))
        guard let section = header.section else { return range }
        do {
            return try unsafe restore(section, of: frame, range, keys, into: &buffer)
        } catch {
            buffer.removeSubrange(start...)
            throw error
        }
    }

    /// Decodes one frame.
    ///
    /// - Parameters:
    ///   - frame: The bytes of exactly one frame.
    ///   - event: The event's id.
    ///   - keys: What may be read of a sealed frame.
    /// - Returns: What the producer sent, except what was erased.
    /// - Throws: ``PayloadCodecError``; with code `.unknownDictionary` or `.missingKey`, load that dictionary or key
    ///   and decode again.
    package func decode(
        _ frame: UnsafeRawBufferPointer,
        of event: UUID? = nil,
        keys: PayloadKeys = .none
    ) throws(PayloadCodecError) -> DecodedPayload {
        var bytes: [UInt8] = []
        let range = try unsafe decode(frame, of: event, keys: keys, into: &bytes)
        return DecodedPayload(bytes: bytes, split: range.data.upperBound, erased: range.erased)
    }

    /// Decodes one frame; see ``decode(_:of:keys:)-(UnsafeRawBufferPointer,_,_)``.
    package func decode(
        _ frame: [UInt8],
        of event: UUID? = nil,
        keys: PayloadKeys = .none
    ) throws(PayloadCodecError) -> DecodedPayload {
        try unsafe frame.span.withUnsafeBytes { (bytes) throws(PayloadCodecError) in
            try unsafe decode(bytes, of: event, keys: keys)
        }
    }

    /// Decodes one frame into a buffer; see ``decode(_:of:keys:into:)-(UnsafeRawBufferPointer,_,_,_)``.
    package func decode(
        _ frame: [UInt8],
        of event: UUID? = nil,
        keys: PayloadKeys = .none,
        into buffer: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadRange {
        try unsafe frame.span.withUnsafeBytes { (bytes) throws(PayloadCodecError) in
            try unsafe decode(bytes, of: event, keys: keys, into: &buffer)
        }
    }

    private static var mismatch: PayloadCodecError {
        PayloadCodecError(
            .corrupt,
            "the frame's body does not match its header and checksum: restore the event from a backup"
        )
    }

    private func dictionaryBytes(_ header: PayloadFrame) throws(PayloadCodecError) -> [UInt8] {
        guard header.dictionary != 0 else { return [] }
        guard let dictionary = dictionaries[header.dictionary] else {
            throw PayloadCodecError(
                .unknownDictionary,
                "the frame needs dictionary \(header.dictionary), which is not loaded",
                dictionary: header.dictionary
            )
        }
        return dictionary.bytes
    }

    /// Fills `target` with data and metadata, and returns whether they match the header.
    private static func fill(
        _ target: UnsafeMutableRawBufferPointer,
        from frame: UnsafeRawBufferPointer,
        _ header: PayloadFrame,
        of event: UInt32?,
        _ known: [UInt8]
    ) -> Bool {
        let body = unsafe UnsafeRawBufferPointer(rebasing: frame[header.bodyOffset...])
        let raw = unsafe UnsafeMutableRawBufferPointer(rebasing: target[..<header.rawLength])
        if header.flags.contains(.packed) {
            guard unsafe unpack(body, header.layout, of: event, into: raw, known) else { return false }
        } else if header.flags.contains(.lz4) {
            let count = unsafe known.withUnsafeBytes { unsafe LZ4State.decompress(body, into: raw, dictionary: $0) }
            guard count == raw.count else { return false }
        } else {
            unsafe raw.copyMemory(from: body)
        }
        let checksum = unsafe PayloadChecksum.of(
            UnsafeRawBufferPointer(raw),
            dataLength: header.dataLength,
            flags: header.flags
        )
        guard checksum == header.checksum else { return false }
        if header.metadataLength == 0 {
            unsafe target[header.rawLength] = UInt8(ascii: "{")
            unsafe target[header.rawLength + 1] = UInt8(ascii: "}")
        }
        return true
    }

    /// Decompresses packed text, which is smaller than `raw`, and unpacks it.
    private static func unpack(
        _ body: UnsafeRawBufferPointer,
        _ layout: PackedText.Layout,
        of event: UInt32?,
        into raw: UnsafeMutableRawBufferPointer,
        _ known: [UInt8]
    ) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: raw.count, alignment: 8) { text in
            let count = unsafe known.withUnsafeBytes { unsafe LZ4State.decompress(body, into: text, dictionary: $0) }
            guard let count else { return false }
            return unsafe PackedText.unpack(
                UnsafeRawBufferPointer(rebasing: text[..<count]),
                layout,
                of: event,
                to: raw
            )
        }
    }
}
