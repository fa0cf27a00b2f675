/// The memory that one encoding needs: dictionary, raw bytes and frame, and a compressor. Used by one caller at a time.
@safe final class PayloadScratch: @unchecked Sendable {
    // SAFETY: PayloadEncoder's pool hands an instance to one caller at a time, under a Mutex, so accesses never overlap.

    /// The most raw bytes that this scratch takes.
    let capacity: Int
    private let dictionary: PayloadDictionary?
    private let arena: UnsafeMutableRawPointer
    private let raw: UnsafeMutableRawPointer
    private let frame: UnsafeMutableRawPointer
    private let compressor: Compressor

    private enum Compressor {
        /// For small messages, fast.
        case small(LZ4Block)
        /// For all others.
        case any(LZ4State)
    }

    /// Allocates all that messages of up to `capacity` bytes need.
    init(dictionary: PayloadDictionary?, compression: PayloadCompression, capacity: Int) {
        self.capacity = capacity
        self.dictionary = dictionary
        let known = dictionary?.bytes ?? []
        let arena = UnsafeMutableRawPointer.allocate(byteCount: known.count + capacity, alignment: 64)
        unsafe self.arena = unsafe arena
        // The raw bytes lie directly behind the dictionary: see LZ4Block and LZ4State.
        unsafe raw = arena + known.count
        unsafe frame = .allocate(
            byteCount: PayloadFrame.headerLimit + LZ4State.bound(capacity) + LZ4Block.slack,
            alignment: 64
        )
        unsafe known.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe arena.copyMemory(from: base, byteCount: bytes.count)
        }
        compressor =
            if compression == .fast, capacity <= LZ4Block.capacity {
                unsafe .small(LZ4Block(base: arena, dictionaryCount: known.count))
            } else {
                unsafe .any(
                    LZ4State(
                        dictionary: UnsafeRawBufferPointer(start: arena, count: known.count),
                        compression: compression
                    )
                )
            }
    }

    deinit {
        unsafe arena.deallocate()
        unsafe frame.deallocate()
    }

    /// Makes a frame and lends it out.
    ///
    /// - Parameters:
    ///   - data: The raw data; together with `metadata` at most `capacity` bytes.
    ///   - metadata: The raw metadata.
    ///   - body: Gets the frame's bytes, which are valid until it returns.
    /// - Returns: The encoding that was chosen.
    func encode(
        data: Span<UInt8>,
        metadata: Span<UInt8>,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) -> PayloadEncoding {
        unsafe data.withUnsafeBytes { data in
            unsafe metadata.withUnsafeBytes { metadata in
                let isEmptyObject =
                    unsafe metadata.count == 2 && metadata[0] == UInt8(ascii: "{") && metadata[1] == UInt8(ascii: "}")
                let kept = isEmptyObject ? unsafe UnsafeRawBufferPointer(start: nil, count: 0) : unsafe metadata
                return unsafe encode(data, kept, body)
            }
        }
    }

    private func encode(
        _ data: UnsafeRawBufferPointer,
        _ metadata: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) -> PayloadEncoding {
        let rawLength = data.count + metadata.count
        precondition(rawLength <= capacity, "the scratch is too small for the payload")
        let checksum = unsafe PayloadChecksum.of(data, metadata)
        let text = unsafe pack(data, metadata)
        let flags: PayloadFrame.Flags = text.isPacked ? [.lz4, .packed] : .lz4
        let dictionaryID = dictionary.map { Int($0.id) } ?? 0
        var end = writeHeader(flags, dictionary: dictionaryID, data.count, metadata.count, checksum)
        let length =
            switch compressor {
            case .small(let block): unsafe block.compress(count: text.count, into: frame + end)
            case .any(let state):
                unsafe state.compress(
                    UnsafeRawBufferPointer(start: raw, count: text.count),
                    into: UnsafeMutableRawBufferPointer(start: frame + end, count: LZ4State.bound(text.count))
                )
            }
        if length > 0, length < rawLength {
            unsafe body(UnsafeRawBufferPointer(start: frame, count: end + length))
            return dictionary.map { PayloadEncoding(rawValue: $0.id) } ?? .lz4
        }
        end = writeHeader([], dictionary: 0, data.count, metadata.count, checksum)
        unsafe Self.copy(data, to: frame + end)
        unsafe Self.copy(metadata, to: frame + end + data.count)
        unsafe body(UnsafeRawBufferPointer(start: frame, count: end + rawLength))
        return .identity
    }

    /// Puts what is to be compressed behind the dictionary: packed text, or the raw bytes where there is nothing to pack.
    private func pack(
        _ data: UnsafeRawBufferPointer,
        _ metadata: UnsafeRawBufferPointer
    ) -> (count: Int, isPacked: Bool) {
        if let first = unsafe PackedText.pack(data, to: raw),
            let second = unsafe PackedText.pack(metadata, to: raw + first)
        {
            return (first + second, first + second < data.count + metadata.count)
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
        unsafe frame.storeBytes(of: PayloadFrame.version << 4 | flags.rawValue, as: UInt8.self)
        var end = 1
        write(varint: dictionary, at: &end)
        write(varint: dataLength, at: &end)
        write(varint: metadataLength, at: &end)
        unsafe frame.storeBytes(of: checksum.littleEndian, toByteOffset: end, as: UInt32.self)
        return end + 4
    }

    private func write(varint number: Int, at offset: inout Int) {
        var rest = number
        while rest > 127 {
            unsafe frame.storeBytes(of: UInt8(rest & 127 | 128), toByteOffset: offset, as: UInt8.self)
            offset += 1
            rest >>= 7
        }
        unsafe frame.storeBytes(of: UInt8(rest), toByteOffset: offset, as: UInt8.self)
        offset += 1
    }
}
