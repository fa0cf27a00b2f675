/// The header of a frame, with which `events.payload` begins.
///
/// ```
/// byte 0      high nibble: format version; 2 = the values of packed text follow the whole text, 1 = each follows its
///             mark, or nothing is packed. Low nibble: flags; bit 0 = LZ4 body, bit 1 = the checksum is the first
///             4 bytes of a SHA-256 (else CRC-32C, little endian), bit 2 = LZ4 compressed packed text
///             (``PackedText``; only with bit 0), bit 3 = the frame has a sealed section
/// varint      dictionary id (0 = none), unsigned LEB128 in as few bytes as possible
/// varint      length of the data (raw bytes)
/// varint      length of the metadata (raw bytes; 0 = the metadata is {})
/// 4 bytes     checksum of: data length as 4 bytes little endian, then the raw bytes (data, metadata)
/// [section]   with bit 3: the personal values, sealed; the raw bytes have `null` in their places
/// rest        body: the raw bytes, or one LZ4 block of them, packed or not
/// ```
///
/// The sealed section. A reader without the key reads everything else, and knows what is missing:
///
/// ```
/// varint      id of the subject's key
/// varint      how many values were cut out, at least 1
/// varints     for each value in order, the number of raw bytes between the previous `null` (or the beginning) and
///             its own `null`
/// varint      length of the sealed bytes; 0 = they were dropped, because the key had been destroyed
/// bytes       nonce (12), ciphertext, tag (16): AES-256-GCM under the subject's key. Authenticated with it: the
///             stream's id, the event's id, and the section's bytes before the length of the sealed bytes
/// ```
///
/// The sealed content is itself a frame, without a section: its data are the lengths of all values but the last, as
/// varints, then the values' JSON as the producer sent it.
package struct PayloadFrame: Hashable, Sendable {
    /// The low nibble of a frame's first byte.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// The body is an LZ4 block.
        package static let lz4 = Flags(rawValue: 1)
        /// The checksum is the beginning of a SHA-256, which SQL can compute, instead of a CRC-32C.
        package static let sha256 = Flags(rawValue: 2)
        /// The LZ4 block holds packed text.
        package static let packed = Flags(rawValue: 4)
        /// A sealed section precedes the body.
        package static let sealed = Flags(rawValue: 8)
    }

    /// The format versions that this build reads.
    package static let versions: ClosedRange<UInt8> = 1...2
    /// The most bytes that data may have, and that metadata may have: 1 MiB each.
    package static let lengthLimit = 1 << 20
    /// The same limit for a frame with a sealed section: `null` is three bytes longer than a value of one byte.
    static let openLimit = lengthLimit + 3 * SealedSection.countLimit
    /// The most bytes that are sealed in an event: all of its data and metadata, and three for the length of each
    /// value.
    static let sealedLimit = 2 * lengthLimit + 3 * SealedSection.countLimit
    /// The most bytes that a header takes: 1 for version and flags, 3 for the dictionary, 4 for each length and the
    /// checksum.
    static let headerLimit = 16

    /// How a packed body is laid out.
    let layout: PackedText.Layout
    /// How the body and the checksum are made.
    package let flags: Flags
    /// The id of the dictionary that the body needs, 1 … 32767, or 0.
    package let dictionary: Int
    /// The raw data's length in bytes.
    package let dataLength: Int
    /// The raw metadata's length in bytes; 0 stands for `{}`.
    package let metadataLength: Int
    /// The checksum's four bytes, the first one lowest.
    package let checksum: UInt32
    /// The sealed section, if there is one.
    package let section: SealedSection?
    /// The offset at which the body begins; it extends to the frame's end.
    package let bodyOffset: Int

    /// The raw bytes' length: data and metadata together.
    package var rawLength: Int { dataLength + metadataLength }

    /// The most bytes that the decoded payload can have, sealed values included.
    ///
    /// That holds for sealed values as ``PayloadEncoder`` makes them. Earlier ones, and those from elsewhere, may have
    /// more bytes: how many cannot be told without the key.
    package var decodedLimit: Int { rawLength + (section?.valuesLimit ?? 0) }

    /// The first byte of a frame; uses the oldest version that can express its content.
    static func firstByte(_ flags: Flags) -> UInt8 {
        (flags.contains(.packed) ? versions.upperBound : versions.lowerBound) << 4 | flags.rawValue
    }

    /// The value of the column `events.encoding` for this frame.
    package var encoding: PayloadEncoding {
        guard flags.contains(.lz4) else { return .identity }
        return dictionary == 0 ? .lz4 : PayloadEncoding(rawValue: Int16(dictionary))
    }

    /// Reads a header and checks everything that does not need the body's content: version, flags, lengths within their
    /// limits, and that the body can hold them. Allocates nothing.
    ///
    /// - Parameters:
    ///   - frame: All of a frame's bytes.
    ///   - limit: The most bytes of data and of metadata, each; `nil` for an event's limit.
    /// - Throws: ``PayloadCodecError`` with code `.corrupt`, `.unknownVersion` or `.tooLarge`.
    package init(parsing frame: UnsafeRawBufferPointer, limit: Int? = nil) throws(PayloadCodecError) {
        guard let first = unsafe frame.first else { throw PayloadCodecError(.corrupt, "the frame is empty") }
        guard Self.versions.contains(first >> 4) else {
            throw PayloadCodecError(
                .unknownVersion,
                "the frame has format version \(first >> 4); this build reads versions 1 and 2: update it"
            )
        }
        layout = first >> 4 == 1 ? .inline : .behind
        flags = Flags(rawValue: first & 15)
        var offset = 1
        dictionary = try unsafe Self.readVarint(frame, at: &offset)
        dataLength = try unsafe Self.readVarint(frame, at: &offset)
        metadataLength = try unsafe Self.readVarint(frame, at: &offset)
        guard dictionary <= PayloadDictionary.ids.upperBound, flags.contains(.lz4) || dictionary == 0 else {
            throw PayloadCodecError(.corrupt, "the frame names dictionary \(dictionary), which it cannot have")
        }
        let limit = limit ?? (flags.contains(.sealed) ? Self.openLimit : Self.lengthLimit)
        guard dataLength <= limit, metadataLength <= limit else {
            throw PayloadCodecError(
                .tooLarge,
                "the frame declares \(dataLength) bytes of data and \(metadataLength) of metadata; the limit is \(limit) each"
            )
        }
        guard frame.count - offset >= 4 else {
            throw PayloadCodecError(.corrupt, "the frame is cut off in its header")
        }
        checksum = unsafe UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        offset += 4
        section = flags.contains(.sealed) ? try unsafe SealedSection(parsing: frame, at: &offset) : nil
        bodyOffset = offset
        let bodyLength = frame.count - bodyOffset
        let rawLength = dataLength + metadataLength
        guard flags.contains(.lz4) || !flags.contains(.packed) else {
            throw PayloadCodecError(.corrupt, "the frame says that its body is packed, but not compressed")
        }
        // No byte of an LZ4 block stands for more than 255 raw bytes (LZ4 block format), so a small body cannot demand
        // a large buffer.
        let expansion = 255 * (flags.contains(.packed) ? PackedText.mostExpansion : 1)
        guard flags.contains(.lz4) ? rawLength <= bodyLength * expansion : rawLength == bodyLength else {
            throw PayloadCodecError(
                .corrupt,
                "the frame declares \(rawLength) raw bytes, which its body of \(bodyLength) does not hold"
            )
        }
    }

    /// Reads an unsigned LEB128 number of at most 5 bytes, and refuses one that is longer than necessary.
    @inline(__always)
    static func readVarint(
        _ frame: UnsafeRawBufferPointer,
        at offset: inout Int
    ) throws(PayloadCodecError) -> Int {
        var value = 0
        var shift = 0
        while offset < frame.count, shift < 35 {
            let byte = unsafe frame[offset]
            offset += 1
            value |= Int(byte & 127) << shift
            if byte < 128 {
                guard byte != 0 || shift == 0 else {
                    throw PayloadCodecError(.corrupt, "a number in the frame's header is not minimal")
                }
                return value
            }
            shift += 7
        }
        throw PayloadCodecError(.corrupt, "a number in the frame's header does not end")
    }
}
