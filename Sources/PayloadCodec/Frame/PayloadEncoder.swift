package import FoundationEssentials
internal import Synchronization

/// Encodes payloads into frames. Any number of tasks may use one encoder at once.
///
/// Scratch memory (dictionary, tables, buffers: about half a MiB with either method) is pooled, one piece for each
/// caller that ever encoded at the same time as others; a message allocates nothing but its output.
package final class PayloadEncoder: Sendable {
    /// The dictionary that frames are made with, if any.
    package let dictionary: PayloadDictionary?
    /// How hard the encoder looks for matches.
    package let compression: PayloadCompression

    /// Payloads up to this size use pooled memory; larger ones are rare, and get their own.
    private static let pooledCapacity = 1 << 16

    private let index: LZ4DictionaryIndex?
    private let idle: Mutex<[PayloadScratch]>

    /// Creates an encoder.
    ///
    /// - Parameters:
    ///   - dictionary: What payloads are likely to resemble; `nil` for none.
    ///   - compression: How hard to look for matches.
    package init(dictionary: PayloadDictionary? = nil, compression: PayloadCompression = .fast) {
        self.dictionary = dictionary
        self.compression = compression
        index = compression == .fast ? dictionary.map { LZ4DictionaryIndex($0.bytes) } : nil
        idle = Mutex([])
    }

    /// Appends the frame of one payload to a buffer.
    ///
    /// The body is stored uncompressed if LZ4 does not make it smaller.
    ///
    /// - Parameters:
    ///   - data: A JSON object, at most 1 MiB. Decoding returns the same bytes.
    ///   - metadata: A JSON object, at most 1 MiB; empty means `{}`.
    ///   - event: The event's id: it makes the frame smaller, but is then needed to decode it.
    ///   - frames: The frame is appended to it; unchanged if this throws.
    /// - Returns: What the column `events.encoding` must say of the frame.
    /// - Throws: ``PayloadCodecError`` with code `.tooLarge`.
    @discardableResult
    package func encode(
        data: Span<UInt8>,
        metadata: Span<UInt8>,
        of event: UUID? = nil,
        into frames: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadEncoding {
        try Self.check(data, metadata)
        return withScratch(for: data.count + metadata.count) { scratch in
            scratch.encode(data: data, metadata: metadata, of: event?.prefix, into: &frames)
        }
    }

    /// Appends the frame of one payload to a buffer; see ``encode(data:metadata:of:into:)-(Span<UInt8>,_,_,_)``.
    @discardableResult
    package func encode(
        data: [UInt8],
        metadata: [UInt8],
        of event: UUID? = nil,
        into frames: inout [UInt8]
    ) throws(PayloadCodecError) -> PayloadEncoding {
        try encode(data: data.span, metadata: metadata.span, of: event, into: &frames)
    }

    /// Encodes one payload into a frame.
    ///
    /// - Parameters:
    ///   - data: A JSON object, at most 1 MiB. Decoding returns the same bytes.
    ///   - metadata: A JSON object, at most 1 MiB; empty means `{}`.
    ///   - event: The event's id: it makes the frame smaller, but is then needed to decode it.
    /// - Returns: The frame, and what the column `events.encoding` must say of it.
    /// - Throws: ``PayloadCodecError`` with code `.tooLarge`.
    package func encode(
        data: [UInt8],
        metadata: [UInt8],
        of event: UUID? = nil
    ) throws(PayloadCodecError) -> (frame: [UInt8], encoding: PayloadEncoding) {
        var frame: [UInt8] = []
        let encoding = try encode(data: data.span, metadata: metadata.span, of: event, into: &frame)
        return (frame, encoding)
    }

    /// Refuses data or metadata that is longer than a frame may hold.
    static func check(_ data: Span<UInt8>, _ metadata: Span<UInt8>) throws(PayloadCodecError) {
        guard data.count <= PayloadFrame.lengthLimit, metadata.count <= PayloadFrame.lengthLimit else {
            throw PayloadCodecError(
                .tooLarge,
                "the event has \(data.count) bytes of data and \(metadata.count) of metadata;"
                    + " the limit is \(PayloadFrame.lengthLimit) each"
            )
        }
    }

    /// Lends scratch memory for up to `count` raw bytes.
    func withScratch<R, E: Error>(for count: Int, _ body: (PayloadScratch) throws(E) -> R) throws(E) -> R {
        let scratch = takeScratch(for: count)
        defer { if scratch.capacity == Self.pooledCapacity { idle.withLock { $0.append(scratch) } } }
        return try body(scratch)
    }

    private func takeScratch(for count: Int) -> PayloadScratch {
        if count <= Self.pooledCapacity, let scratch = idle.withLock({ $0.popLast() }) { return scratch }
        let capacity = max(count, Self.pooledCapacity)
        return PayloadScratch(dictionary: dictionary, index: index, compression: compression, capacity: capacity)
    }
}
