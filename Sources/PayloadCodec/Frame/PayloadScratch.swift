/// The memory that one encoding needs: dictionary, raw bytes and frame, and a compressor. Used by one caller at a time.
@safe final class PayloadScratch: @unchecked Sendable {
    // SAFETY: PayloadEncoder's pool hands an instance to one caller at a time,
    // under a Mutex, so accesses never overlap.

    /// The most raw bytes that this scratch takes.
    let capacity: Int
    private let dictionary: PayloadDictionary?
    private let arena: UnsafeMutableRawPointer
    private let raw: UnsafeMutableRawPointer
    private let frame: UnsafeMutableRawPointer
    private let compressor: Compressor

    /// What sealing needs in addition; created when something is first sealed.
    private var sealing: SealingScratch?

    private enum Compressor {
        /// No compression.
        case nothing
        /// The fast compressor for small messages.
        case small(LZ4Block)
        /// The compressor for everything else.
        case any(LZ4State)
    }

    /// Allocates everything that messages of up to `capacity` bytes need.
    init(
        dictionary: PayloadDictionary?,
        index: LZ4DictionaryIndex?,
        compression: PayloadCompression,
        capacity: Int
    ) {
        self.capacity = capacity
        self.dictionary = dictionary
        let known = dictionary?.bytes ?? []
        let arena = UnsafeMutableRawPointer.allocate(byteCount: known.count + capacity, alignment: 64)
        unsafe self.arena = unsafe arena
        // The raw bytes lie directly after the dictionary: see LZ4Block and LZ4State.
        unsafe raw = arena + known.count
        unsafe frame = .allocate(
            byteCount: PayloadFrame.headerLimit + LZ4State.bound(capacity) + LZ4Block.slack,
            alignment: 64
        )
        unsafe known.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe arena.copyMemory(from: base, byteCount: bytes.count)
        }
        let loaded = unsafe UnsafeRawBufferPointer(start: arena, count: known.count)
        compressor =
            switch compression {
            case .none: .nothing
            case .fast where capacity <= LZ4Block.capacity:
                unsafe .small(LZ4Block(base: arena, dictionaryCount: known.count, dictionary: index))
            case .fast: unsafe .any(LZ4State(dictionary: loaded, level: nil))
            case .high(let level): unsafe .any(LZ4State(dictionary: loaded, level: level))
            }
    }

    deinit {
        unsafe arena.deallocate()
        unsafe frame.deallocate()
    }

    /// A finished frame, which stays in the scratch until the next one is made.
    private struct Made {
        /// Where the header ends.
        let header: Int
        /// Where the body ends.
        let end: Int
        let encoding: PayloadEncoding
    }

    /// Encodes a payload and appends its frame to a buffer.
    ///
    /// - Parameters:
    ///   - data: The raw data; together with `metadata` at most `capacity` bytes.
    ///   - metadata: The raw metadata.
    ///   - event: The first four bytes of the event's id, if it is known.
    ///   - frames: The frame is appended to it.
    /// - Returns: The encoding that was chosen.
    func encode(
        data: Span<UInt8>,
        metadata: Span<UInt8>,
        of event: UInt32?,
        into frames: inout [UInt8]
    ) -> PayloadEncoding {
        let made = unsafe data.withUnsafeBytes { data in
            unsafe metadata.withUnsafeBytes { unsafe make(data, $0, [], of: event) }
        }
        unsafe frames.append(contentsOf: UnsafeRawBufferPointer(start: frame, count: made.end))
        return made.encoding
    }

    /// Encodes a payload of which some values are sealed, and appends its frame to a buffer.
    ///
    /// - Parameters:
    ///   - data: The raw data; together with `metadata`, and four bytes for each value, at most `capacity` bytes.
    ///   - metadata: The raw metadata.
    ///   - seal: Which values are cut out, and how they are sealed.
    ///   - frames: The frame is appended to it; unchanged if this throws.
    /// - Returns: The encoding that was chosen.
    func encode(
        data: Span<UInt8>,
        metadata: Span<UInt8>,
        sealing seal: PayloadSeal,
        into frames: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadEncoding {
        let sealing = try sealingScratch()
        unsafe data.withUnsafeBytes { data in
            unsafe metadata.withUnsafeBytes { unsafe sealing.cut(data, $0, seal) }
        }
        var inner = PayloadEncoding.identity
        if let key = seal.key {
            let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
            let made = unsafe make(sealing.values, nothing, [], of: nil, mostExpansion: SealedSection.mostExpansion)
            try unsafe sealing.seal(UnsafeRawBufferPointer(start: frame, count: made.end), key)
            inner = made.encoding
        } else {
            sealing.dropValues()
        }
        let made = unsafe make(sealing.data, sealing.metadata, .sealed, of: seal.identity.eventPrefix)
        unsafe frames.append(contentsOf: UnsafeRawBufferPointer(start: frame, count: made.header))
        unsafe frames.append(contentsOf: sealing.section)
        unsafe frames.append(
            contentsOf: UnsafeRawBufferPointer(start: frame + made.header, count: made.end - made.header)
        )
        // The column names the dictionary that the frame needs; both parts can need only the same one.
        return inner.rawValue > 0 ? inner : made.encoding
    }

    private func sealingScratch() throws(PayloadCodecError) -> SealingScratch {
        if let sealing { return sealing }
        let new = try SealingScratch(capacity: capacity)
        sealing = new
        return new
    }

    /// Makes a frame without its sealed section, which belongs between header and body.
    ///
    /// - Parameter mostExpansion: How many raw bytes one byte of the body may stand for, unless all of them are at most
    ///   ``SealedSection/smallLength``; if compression would exceed that, the body stays uncompressed.
    private func make(
        _ data: UnsafeRawBufferPointer,
        _ metadata: UnsafeRawBufferPointer,
        _ flags: PayloadFrame.Flags,
        of event: UInt32?,
        mostExpansion: Int = .max
    ) -> Made {
        let isEmptyObject =
            unsafe metadata.count == 2 && metadata[0] == UInt8(ascii: "{") && metadata[1] == UInt8(ascii: "}")
        let metadata = unsafe isEmptyObject ? UnsafeRawBufferPointer(start: nil, count: 0) : metadata
        let rawLength = data.count + metadata.count
        precondition(rawLength <= capacity, "the scratch is too small for the payload")
        let checksum = unsafe PayloadChecksum.of(data, metadata)
        if let made = unsafe compress(data, metadata, flags, of: event, checksum),
            rawLength <= SealedSection.smallLength || rawLength / mostExpansion <= made.end - made.header
        {
            return made
        }
        let header = writeHeader(flags, dictionary: 0, data.count, metadata.count, checksum)
        unsafe Self.copy(data, to: frame + header)
        unsafe Self.copy(metadata, to: frame + header + data.count)
        return Made(header: header, end: header + rawLength, encoding: .identity)
    }

    /// - Returns: `nil` if compression does not make the payload smaller.
    private func compress(
        _ data: UnsafeRawBufferPointer,
        _ metadata: UnsafeRawBufferPointer,
        _ flags: PayloadFrame.Flags,
        of event: UInt32?,
        _ checksum: UInt32
    ) -> Made? {
        if case .nothing = compressor { return nil }
        let text = unsafe pack(data, metadata, of: event)
        let flags = flags.union(text.isPacked ? [.lz4, .packed] : .lz4)
        let dictionaryID = dictionary.map { Int($0.id) } ?? 0
        let header = writeHeader(flags, dictionary: dictionaryID, data.count, metadata.count, checksum)
        let length =
            switch compressor {
            case .nothing: 0
            case .small(let block): unsafe block.compress(count: text.count, into: frame + header)
            case .any(let state):
                unsafe state.compress(
                    UnsafeRawBufferPointer(start: raw, count: text.count),
                    into: UnsafeMutableRawBufferPointer(start: frame + header, count: LZ4State.bound(text.count))
                )
            }
        guard length > 0, length < data.count + metadata.count else { return nil }
        return Made(
            header: header,
            end: header + length,
            encoding: dictionary.map { PayloadEncoding(rawValue: $0.id) } ?? .lz4
        )
    }

    /// Puts the text to compress after the dictionary: packed text, or the raw bytes where nothing can be packed.
    private func pack(
        _ data: UnsafeRawBufferPointer,
        _ metadata: UnsafeRawBufferPointer,
        of event: UInt32?
    ) -> (count: Int, isPacked: Bool) {
        var end = unsafe raw
        // The frame is not written yet, so its memory holds the marks' values until the text is complete.
        let waiting = unsafe frame + capacity
        var values = unsafe waiting
        if unsafe PackedText.pack(data, of: event, to: &end, &values),
            unsafe PackedText.pack(metadata, of: event, to: &end, &values)
        {
            let size = unsafe waiting - values
            unsafe end.copyMemory(from: values, byteCount: size)
            return unsafe (end + size - raw, size > 0)
        }
        unsafe Self.copy(data, to: raw)
        unsafe Self.copy(metadata, to: raw + data.count)
        return (data.count + metadata.count, false)
    }

    private static func copy(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) {
        guard bytes.count > 0, let base = bytes.baseAddress else { return }
        unsafe target.copyMemory(from: base, byteCount: bytes.count)
    }

    /// - Returns: Where the header ends.
    private func writeHeader(
        _ flags: PayloadFrame.Flags,
        dictionary: Int,
        _ dataLength: Int,
        _ metadataLength: Int,
        _ checksum: UInt32
    ) -> Int {
        unsafe frame.storeBytes(of: PayloadFrame.firstByte(flags), as: UInt8.self)
        var end = 1
        unsafe frame.store(varint: dictionary, at: &end)
        unsafe frame.store(varint: dataLength, at: &end)
        unsafe frame.store(varint: metadataLength, at: &end)
        unsafe frame.storeBytes(of: checksum.littleEndian, toByteOffset: end, as: UInt32.self)
        return end + 4
    }
}
