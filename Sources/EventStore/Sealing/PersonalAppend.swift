internal import EventModel
internal import PayloadCodec

/// An append in which something is personal.
struct PersonalAppend: Sendable {
    let stream: StreamID
    /// Which of several appends it is.
    let place: Int
    /// What is personal in each of its events, up to the last one that has something.
    private let found: [PersonalFields.Found]

    /// Looks for what is personal.
    ///
    /// - Returns: `nil` if nothing is.
    init?(_ append: Append, at place: Int, _ fields: PersonalFields) {
        var found: [PersonalFields.Found] = []
        // By their places: to copy an event takes longer than to look into it.
        for number in append.events.indices {
            let values = fields.find(in: append.events[number])
            guard !values.isEmpty else { continue }
            while found.count < number { found.append(PersonalFields.Found()) }
            found.append(values)
        }
        guard !found.isEmpty else { return nil }
        stream = append.stream
        self.place = place
        self.found = found
    }

    /// How each of its events is sealed under its subject's key; `nil` where nothing is personal.
    func seals(of append: Append, keyID: Int64, _ key: SubjectKey?) -> [PayloadSeal?] {
        append.events.indices.map { number in
            guard number < found.count, !found[number].isEmpty else { return nil }
            return PayloadSeal(
                data: found[number].data,
                metadata: found[number].metadata,
                keyID: keyID,
                key: key,
                identity: PayloadIdentity(stream: stream.uuid, event: append.events[number].id.uuid)
            )
        }
    }
}
