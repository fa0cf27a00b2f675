/// What is cut out of a payload before it is stored, and under which key.
package struct PayloadSeal: Sendable {
    /// The values that are personal, where they lie in the data: ascending, apart from each other.
    package let data: [Range<Int>]
    /// The values that are personal, where they lie in the metadata.
    package let metadata: [Range<Int>]
    /// The id of the subject's key.
    package let keyID: Int64
    /// The subject's key; `nil` if it was destroyed: then the values are dropped.
    package let key: SubjectKey?
    /// What the payload belongs to.
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
