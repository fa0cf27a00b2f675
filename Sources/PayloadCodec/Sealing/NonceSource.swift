internal import Glibc

/// Random nonces, drawn from the system in batches: a call for each would take as long as sealing.
struct NonceSource {
    /// The most bytes that getentropy(3) gives at once.
    private static let batch = 256

    private var bytes = [UInt8](repeating: 0, count: batch)
    private var used = batch

    /// Fills a target of at most 256 bytes with a nonce that was not used before.
    ///
    /// - Throws: ``PayloadCodecError`` if the system gives no random bytes.
    mutating func next(to target: UnsafeMutableRawBufferPointer) throws(PayloadCodecError) {
        if bytes.count - used < target.count {
            let isDrawn = unsafe bytes.withUnsafeMutableBytes { unsafe getentropy($0.baseAddress, $0.count) } == 0
            guard isDrawn else {
                throw PayloadCodecError(.corrupt, "the system gives no random bytes: getentropy failed with \(errno)")
            }
            used = 0
        }
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[used..<(used + target.count)]))
        }
        used += target.count
    }
}
