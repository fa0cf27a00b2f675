internal import Glibc

/// Random nonces, drawn from the system some at a time: a call for each takes as long as a seal.
struct NonceSource {
    /// As many as getentropy(3) gives at most.
    private static let batch = 256

    private var bytes = [UInt8](repeating: 0, count: batch)
    private var used = batch

    /// Fills a target of at most 256 bytes with a nonce that nobody had before.
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
