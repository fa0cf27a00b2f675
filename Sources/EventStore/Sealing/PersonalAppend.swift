internal import EventModel
internal import PayloadCodec

/// What is personal in an append, in which something is.
struct PersonalAppend: Sendable {
    let stream: StreamID
    /// Which of several appends it is.
    let index: Int
    /// What is personal in each of its events, up to the last one that has something.
    private let found: [PersonalFields.Found]

    /// Looks for what is personal.
    ///
    /// - Parameter subject: Gets the user whom the session is about that starts here, if one does.
    /// - Returns: `nil` if nothing is.
    init?(_ append: some StreamAppend, at index: Int, _ fields: PersonalFields, _ subject: inout StreamID?) {
        var found: [PersonalFields.Found] = []
        var number = 0
        for event in append.events {
            let values = fields.find(in: event)
            if !values.isEmpty {
                while found.count < number { found.append(PersonalFields.Found()) }
                found.append(values)
            }
            number += 1
            if subject == nil { subject = event.subject }
        }
        guard !found.isEmpty else { return nil }
        stream = append.stream
        self.index = index
        self.found = found
    }

    /// How each of the append's events is sealed under its subject's key; `nil` where nothing is personal.
    func seals(of append: some StreamAppend, keyID: Int64, _ key: SubjectKey?) -> [PayloadSeal?] {
        append.events.enumerated().map { number, event in
            guard number < found.count, !found[number].isEmpty else { return nil }
            return PayloadSeal(
                data: found[number].data,
                metadata: found[number].metadata,
                keyID: keyID,
                key: key,
                identity: PayloadIdentity(stream: stream.uuid, event: event.id.uuid)
            )
        }
    }
}
