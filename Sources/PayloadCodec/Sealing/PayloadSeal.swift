/// Which values are cut out of a payload before it is stored, and the key that seals them.
package struct PayloadSeal: Sendable {
    /// Where the personal values lie in the data: in ascending order, without overlap.
    package let data: [Range<Int>]
    /// Where the personal values lie in the metadata.
    package let metadata: [Range<Int>]
    /// The id of the subject's key.
    package let keyID: Int64
    /// The subject's key; `nil` if it was destroyed, and then the values are dropped.
    package let key: SubjectKey?
    /// The event and stream that the payload belongs to.
    package let identity: PayloadIdentity

    /// How many values are cut out.
    var count: Int { data.count + metadata.count }

    package init(
        data: [Range<Int>],
        metadata: [Range<Int>],
        keyID: Int64,
        key: SubjectKey?,
        identity: PayloadIdentity
    ) {
        self.data = data
        self.metadata = metadata
        self.keyID = keyID
        self.key = key
        self.identity = identity
    }
}
