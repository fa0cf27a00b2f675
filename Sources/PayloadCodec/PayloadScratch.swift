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
        let dataLength = data.count
        let metadataLength = metadata.isEmptyObject ? 0 : metadata.count
        let rawLength = dataLength + metadataLength
        precondition(rawLength <= capacity, "the scratch is too small for the payload")
        unsafe data.copy(dataLength, to: raw)
        unsafe metadata.copy(metadataLength, to: raw + dataLength)
        let bytes = unsafe UnsafeRawBufferPointer(start: raw, count: rawLength)

        var end = 1
        write(varint: dictionary.map { Int($0.id) } ?? 0, at: &end)
        write(varint: dataLength, at: &end)
        write(varint: metadataLength, at: &end)
        let checksum = unsafe PayloadChecksum.of(bytes, dataLength: dataLength, flags: [])
        unsafe frame.storeBytes(of: checksum.littleEndian, toByteOffset: end, as: UInt32.self)
        end += 4
        let length =
            switch compressor {
            case .small(let block): unsafe block.compress(count: rawLength, into: frame + end)
            case .any(let state):
                unsafe state.compress(
                    bytes,
                    into: UnsafeMutableRawBufferPointer(start: frame + end, count: LZ4State.bound(rawLength))
                )
            }
        if length > 0, length < rawLength {
            unsafe frame.storeBytes(of: PayloadFrame.version << 4 | PayloadFrame.Flags.lz4.rawValue, as: UInt8.self)
            unsafe body(UnsafeRawBufferPointer(start: frame, count: end + length))
            return dictionary.map { PayloadEncoding(rawValue: $0.id) } ?? .lz4
        }
        unsafe frame.storeBytes(of: PayloadFrame.version << 4, as: UInt8.self)
        end = 1
        write(varint: 0, at: &end)
        write(varint: dataLength, at: &end)
        write(varint: metadataLength, at: &end)
        unsafe frame.storeBytes(of: checksum.littleEndian, toByteOffset: end, as: UInt32.self)
        end += 4
        unsafe (frame + end).copyMemory(from: raw, byteCount: rawLength)
        unsafe body(UnsafeRawBufferPointer(start: frame, count: end + rawLength))
        return .identity
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

extension Span<UInt8> {
    /// Whether these are the two bytes `{}`, which a frame stores as nothing.
    fileprivate var isEmptyObject: Bool {
        count == 2 && self[0] == UInt8(ascii: "{") && self[1] == UInt8(ascii: "}")
    }

    /// Copies the first `count` bytes.
    fileprivate func copy(_ count: Int, to target: UnsafeMutableRawPointer) {
        unsafe withUnsafeBytes { bytes in
            guard count > 0, let base = bytes.baseAddress else { return }
            unsafe target.copyMemory(from: base, byteCount: count)
        }
    }
}
