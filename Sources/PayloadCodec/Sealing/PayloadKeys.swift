/// What a decoder may read of sealed frames.
package enum PayloadKeys: Sendable {
    /// Nothing: a sealed frame is refused with `.missingKey`.
    case none
    /// What is not sealed: in the places of what is, `null` stays, as if all keys had been destroyed.
    case publicPart
    /// All of one frame.
    ///
    /// - Parameters:
    ///   - keys: The keys that are known, by their ids; one that was destroyed stands there as such. One that is not
    ///     there makes decoding fail with `.missingKey`.
    ///   - identity: What the payload belongs to.
    case known(_ keys: [Int64: State], identity: PayloadIdentity)

    /// What is known of a key.
    package enum State: Sendable {
        /// It is here.
        case key(SubjectKey)
        /// It is gone for ever.
        case destroyed
    }

    /// The key of a section; `nil` if what it sealed is gone or shall stay hidden.
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
