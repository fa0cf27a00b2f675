/// The memory that one sealing needs: a payload in two parts, and the section made from the second. Used by one caller
/// at a time: ``PayloadScratch`` owns it.
@safe final class SealingScratch {
    private let capacity: Int
    /// Data and metadata, with `null` in place of each value that was cut out.
    private let rest: UnsafeMutableRawPointer
    /// The lengths of all values but the last, then the values.
    private let cutOut: UnsafeMutableRawPointer
    /// The payload's identity and directly after it the section: what is authenticated is contiguous.
    private let made: UnsafeMutableRawPointer
    private let cipher: SealingCipher

    private var split = 0
    private var restEnd = 0
    private var cutOutEnd = 0
    private var contextEnd = 0
    private var madeEnd = 0

    /// Allocates all that is needed for payloads of up to `capacity` bytes, counting another `null` for each value that
    /// is cut out.
    init(capacity: Int) throws(PayloadCodecError) {
        cipher = try SealingCipher()
        self.capacity = capacity
        unsafe rest = .allocate(byteCount: capacity, alignment: 64)
        unsafe cutOut = .allocate(byteCount: capacity, alignment: 64)
        // Numbers of up to five bytes for key, count and length, and of up to four for each place.
        let numbers = 3 * 5 + 4 * SealedSection.countLimit
        unsafe made = .allocate(
            byteCount: PayloadIdentity.length + numbers + PayloadFrame.headerLimit + capacity + SubjectKey.overhead,
            alignment: 64
        )
    }

    deinit {
        unsafe rest.deallocate()
        unsafe cutOut.deallocate()
        unsafe made.deallocate()
    }

    /// The data that everybody may read.
    var data: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: rest, count: split) }
    /// The metadata that everybody may read.
    var metadata: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: rest + split, count: restEnd - split) }
    /// The values to seal.
    var values: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: cutOut, count: cutOutEnd) }
    /// The finished section.
    var section: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: made + PayloadIdentity.length, count: madeEnd - PayloadIdentity.length)
    }

    /// Divides a payload, and begins its section.
    func cut(_ data: UnsafeRawBufferPointer, _ metadata: UnsafeRawBufferPointer, _ seal: PayloadSeal) {
        precondition(
            data.count + metadata.count + SealedSection.null.count * seal.count <= capacity
                && seal.count <= SealedSection.countLimit,
            "the scratch is too small for the payload"
        )
        precondition((0..<SealedSection.keyLimit).contains(seal.keyID), "a frame has no room for the key's id")
        unsafe seal.identity.write(to: UnsafeMutableRawBufferPointer(start: made, count: PayloadIdentity.length))
        contextEnd = PayloadIdentity.length
        unsafe made.store(varint: Int(seal.keyID), at: &contextEnd)
        unsafe made.store(varint: seal.count, at: &contextEnd)
        (restEnd, cutOutEnd) = (0, 0)
        for place in 0..<max(0, seal.count - 1) {
            let inMetadata = place - seal.data.count
            let range = inMetadata < 0 ? seal.data[place] : seal.metadata[inMetadata]
            unsafe cutOut.store(varint: range.count, at: &cutOutEnd)
        }
        var end = 0
        unsafe take(data, seal.data, behind: &end)
        split = restEnd
        unsafe take(metadata, seal.metadata, behind: &end)
    }

    /// - Parameter end: The offset in ``rest`` after the last `null`.
    private func take(_ json: UnsafeRawBufferPointer, _ ranges: [Range<Int>], behind end: inout Int) {
        var start = 0
        for range in ranges {
            precondition(
                range.lowerBound >= start && range.upperBound <= json.count,
                "values lie in the payload, apart"
            )
            unsafe rest.copy(json, start..<range.lowerBound, at: &restEnd)
            unsafe made.store(varint: restEnd - end, at: &contextEnd)
            unsafe SealedSection.null.withUnsafeBytes { unsafe rest.copy($0, 0..<$0.count, at: &restEnd) }
            end = restEnd
            unsafe cutOut.copy(json, range, at: &cutOutEnd)
            start = range.upperBound
        }
        unsafe rest.copy(json, start..<json.count, at: &restEnd)
    }

    /// Seals a frame made of ``values``, and ends the section with it.
    func seal(_ frame: UnsafeRawBufferPointer, _ key: SubjectKey) throws(PayloadCodecError) {
        let context = unsafe UnsafeRawBufferPointer(start: made, count: contextEnd)
        let count = frame.count + SubjectKey.overhead
        madeEnd = contextEnd
        unsafe made.store(varint: count, at: &madeEnd)
        try unsafe cipher.seal(frame, context: context, under: key, to: made + madeEnd)
        madeEnd += count
    }

    /// Ends the section without the values.
    func dropValues() {
        madeEnd = contextEnd
        unsafe made.store(varint: 0, at: &madeEnd)
    }
}

extension UnsafeMutableRawPointer {
    /// Writes an unsigned LEB128 number at an offset, and moves the offset past it.
    func store(varint number: Int, at offset: inout Int) {
        var rest = number
        while rest > 127 {
            unsafe storeBytes(of: UInt8(rest & 127 | 128), toByteOffset: offset, as: UInt8.self)
            offset += 1
            rest >>= 7
        }
        unsafe storeBytes(of: UInt8(rest), toByteOffset: offset, as: UInt8.self)
        offset += 1
    }

    /// Copies some bytes of a buffer to an offset, and moves the offset past them.
    fileprivate func copy(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, at offset: inout Int) {
        guard !range.isEmpty, let base = bytes.baseAddress else { return }
        unsafe (self + offset).copyMemory(from: base + range.lowerBound, byteCount: range.count)
        offset += range.count
    }
}
