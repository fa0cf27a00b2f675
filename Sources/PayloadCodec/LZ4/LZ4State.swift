internal import CLZ4

/// Compresses messages one at a time, each against the same dictionary and nothing else.
///
/// The dictionary is loaded once into a template; each message starts from a copy of it (16 KiB for `.fast`, 256 KiB
/// for `.high`), because Debian's shared liblz4 1.9.4 does not export `LZ4_attach_dictionary`. A message that lies
/// directly after its dictionary in memory is compressed by LZ4's faster "prefix" path; its block has the same format.
///
/// Only for one caller at a time: ``PayloadScratch`` owns one, and is handed to one caller.
@safe final class LZ4State {
    /// The smallest output buffer that is always enough: LZ4_COMPRESSBOUND of lz4.h.
    static func bound(_ count: Int) -> Int { count + count / 255 + 16 }

    private enum Method { case plain, fast, high }

    private let method: Method
    private let size: Int
    private let template: UnsafeMutableRawPointer
    private let working: UnsafeMutableRawPointer

    /// Loads the dictionary.
    ///
    /// - Parameters:
    ///   - dictionary: At most 64 KiB; its memory must stay valid while the state is used.
    ///   - level: How hard LZ4-HC looks for matches; `nil` for LZ4.
    init(dictionary: UnsafeRawBufferPointer, level: Int?) {
        let bytes = unsafe dictionary.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = Int32(dictionary.count)
        if level == nil {
            method = unsafe dictionary.isEmpty ? .plain : .fast
            size = unsafe MemoryLayout<LZ4_stream_t>.size
        } else {
            method = .high
            size = unsafe MemoryLayout<LZ4_streamHC_t>.size
        }
        unsafe template = .allocate(byteCount: size, alignment: 64)
        unsafe working = .allocate(byteCount: size, alignment: 64)
        if let level {
            let stream = unsafe LZ4_initStreamHC(template, size)
            unsafe LZ4_resetStreamHC_fast(stream, Int32(clamping: level))
            _ = unsafe LZ4_loadDictHC(stream, bytes, count)
        } else {
            let stream = unsafe LZ4_initStream(template, size)
            _ = unsafe LZ4_loadDict(stream, bytes, count)
        }
    }

    deinit {
        unsafe template.deallocate()
        unsafe working.deallocate()
    }

    /// Compresses one message into one LZ4 block.
    ///
    /// - Parameters:
    ///   - source: The message, at most 2 MiB.
    ///   - target: Room for the block, which always fits if this has ``bound(_:)`` of the message's size.
    /// - Returns: The block's size, or 0 if it does not fit.
    func compress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        let from = unsafe source.baseAddress?.assumingMemoryBound(to: CChar.self)
        let to = unsafe target.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = Int32(source.count)
        let capacity = Int32(clamping: target.count)
        switch method {
        case .plain:
            return unsafe Int(LZ4_compress_fast_extState(working, from, to, count, capacity, 1))
        case .fast:
            unsafe working.copyMemory(from: template, byteCount: size)
            let stream = unsafe working.assumingMemoryBound(to: LZ4_stream_t.self)
            return unsafe Int(LZ4_compress_fast_continue(stream, from, to, count, capacity, 1))
        case .high:
            unsafe working.copyMemory(from: template, byteCount: size)
            let stream = unsafe working.assumingMemoryBound(to: LZ4_streamHC_t.self)
            return unsafe Int(LZ4_compress_HC_continue(stream, from, to, count, capacity))
        }
    }

    /// Decompresses one LZ4 block.
    ///
    /// Reads and writes nothing outside the three buffers, whatever the block holds.
    ///
    /// - Parameters:
    ///   - block: The bytes of exactly one block.
    ///   - target: At least as large as the message.
    ///   - dictionary: The dictionary that the block was made with; empty if there was none.
    /// - Returns: The message's size, or `nil` if the block is not sound or the message does not fit.
    static func decompress(
        _ block: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer,
        dictionary: UnsafeRawBufferPointer
    ) -> Int? {
        let from = unsafe block.baseAddress?.assumingMemoryBound(to: CChar.self)
        let to = unsafe target.baseAddress?.assumingMemoryBound(to: CChar.self)
        let known = unsafe dictionary.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = unsafe LZ4_decompress_safe_usingDict(
            from,
            to,
            Int32(clamping: block.count),
            Int32(clamping: target.count),
            known,
            Int32(dictionary.count)
        )
        return count < 0 ? nil : Int(count)
    }
}
