internal import CLibcrypto

/// AES-256-GCM by OpenSSL's libcrypto, into existing memory, for sealing while events are appended.
///
/// Crypto seals the same way and opens the result, but makes a context, buffers and three `Data` for each call, which
/// takes five times as long; see decision 0004. libcrypto is wherever libpq is, which needs it.
///
/// Only for one caller at a time: ``SealingScratch`` owns one.
@safe final class SealingCipher {
    private static let nonceLength = 12
    private static let tagLength = 16

    private let context: OpaquePointer
    private var nonces = NonceSource()
    /// The key that the context holds: a session's events come together, and setting up a key takes as long as sealing
    /// an event.
    private var known: Words?

    private typealias Words = (UInt64, UInt64, UInt64, UInt64)

    /// Creates a context, which each seal reuses.
    init() throws(PayloadCodecError) {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw Self.failure("has no memory") }
        unsafe self.context = context
        guard unsafe EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, nil, nil) == 1 else {
            throw Self.failure("has no AES-256-GCM")
        }
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// Seals bytes under a nonce that was not used before.
    ///
    /// - Parameters:
    ///   - plain: The bytes to seal, at most 2 GiB.
    ///   - identity: Authenticated data: the sealed bytes open only with the same.
    ///   - key: The subject's key.
    ///   - target: Room for nonce, ciphertext and tag: ``SubjectKey/overhead`` bytes more than `plain`.
    func seal(
        _ plain: UnsafeRawBufferPointer,
        context identity: UnsafeRawBufferPointer,
        under key: SubjectKey,
        to target: UnsafeMutableRawPointer
    ) throws(PayloadCodecError) {
        let nonce = unsafe target.assumingMemoryBound(to: UInt8.self)
        try unsafe nonces.next(to: UnsafeMutableRawBufferPointer(start: target, count: Self.nonceLength))
        let sealed = unsafe nonce + Self.nonceLength
        let text = unsafe plain.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let authenticated = unsafe identity.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var written: Int32 = 0
        // Source: OpenSSL manual, EVP_EncryptInit(3), "AEAD Interface".
        let isSound =
            unsafe begin(under: key, nonce)
            && EVP_EncryptUpdate(context, nil, &written, authenticated, Int32(identity.count)) == 1
            && EVP_EncryptUpdate(context, sealed, &written, text, Int32(plain.count)) == 1
            && Int(written) == plain.count
            && EVP_EncryptFinal_ex(context, sealed + plain.count, &written) == 1
            && EVP_CIPHER_CTX_ctrl(
                context,
                EVP_CTRL_AEAD_GET_TAG,
                Int32(Self.tagLength),
                sealed + plain.count
            ) == 1
        guard isSound else { throw Self.failure("failed to seal") }
    }

    /// Starts with a nonce, and with the key if that is not the previous one.
    private func begin(under key: SubjectKey, _ nonce: UnsafePointer<UInt8>) -> Bool {
        unsafe key.withUnsafeBytes { bytes in
            let words = unsafe bytes.loadUnaligned(as: Words.self)
            let isKnown = known.map { $0 == words } ?? false
            // After a failure half-way, no key may count as known.
            known = nil
            let new = isKnown ? nil : unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            guard unsafe EVP_EncryptInit_ex(context, nil, nil, new, nonce) == 1 else { return false }
            known = words
            return true
        }
    }

    private static func failure(_ what: String) -> PayloadCodecError {
        PayloadCodecError(.corrupt, "libcrypto \(what): nothing was encoded; try again, or look at its configuration")
    }
}
