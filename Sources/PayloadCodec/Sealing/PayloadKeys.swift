/// What a decoder may read of sealed frames.
package enum PayloadKeys: Sendable {
    /// Nothing: a sealed frame is refused with `.missingKey`.
    case none
    /// What is not sealed: `null` takes the place of each sealed value, as if all keys had been destroyed.
    case publicPart
    /// Everything in one frame.
    ///
    /// - Parameters:
    ///   - keys: The known keys by their ids, destroyed ones as `.destroyed`. Decoding fails with `.missingKey` for an
    ///     id that is not among them.
    ///   - identity: The event and stream that the payload belongs to.
    case known(_ keys: [Int64: State], identity: PayloadIdentity)

    /// The state of a key.
    package enum State: Sendable {
        /// The key is available.
        case key(SubjectKey)
        /// The key is gone for ever.
        case destroyed
    }

    /// The key of a section; `nil` if the sealed values are gone or are to stay hidden.
    func key(of section: SealedSection) throws(PayloadCodecError) -> (key: SubjectKey, identity: PayloadIdentity)? {
        switch self {
        case .publicPart: return nil
        case .none: break
        case .known(let keys, let identity):
            switch keys[section.key] {
            case .key(let key)? where !section.sealed.isEmpty: return (key, identity)
            case .key?, .destroyed?: return nil
            case nil: break
            }
        }
        throw PayloadCodecError(
            .missingKey,
            "the frame is sealed under key \(section.key), which is not there or does not open: restore its row of subject_keys",
            key: section.key
        )
    }
}
