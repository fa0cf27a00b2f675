internal import EventModel
internal import FoundationEssentials
internal import PayloadCodec
internal import Postgres

extension HotFunction {
    /// All of them, each with the same sample of simulated events.
    ///
    /// - Throws: What a function throws when it is given the sample for the first time: after that, none fails.
    public static func all() throws -> [HotFunction] {
        let sample = try Sample()
        return try codec(sample) + [lineScan(sample), objectScan(sample), parameters(sample), checksum(sample)]
    }

    /// Compressing a payload and its opposite, with a dictionary.
    private static func codec(_ sample: Sample) throws -> [HotFunction] {
        let dictionary = try PayloadDictionary(id: 1, bytes: sample.dictionary)
        let encoder = PayloadEncoder(dictionary: dictionary)
        let decoder = PayloadDecoder(dictionaries: DictionaryStore([dictionary]))
        let drafts = sample.events.map(\.event)
        let frames = try drafts.map {
            try encoder.encode(data: $0.data, metadata: $0.metadata, of: $0.id.uuid).frame
        }
        for (frame, draft) in zip(frames, drafts) { _ = try decoder.decode(frame, of: draft.id.uuid) }
        return [
            HotFunction(name: "codec: encode a payload", events: 1) { number in
                let draft = drafts[number % drafts.count]
                return (try? encoder.encode(data: draft.data, metadata: draft.metadata, of: draft.id.uuid).frame.count)
                    ?? 0
            },
            sealing(drafts, encoder),
            HotFunction(name: "codec: decode a frame", events: 1) { number in
                let place = number % frames.count
                return (try? decoder.decode(frames[place], of: drafts[place].id.uuid).bytes.count) ?? 0
            },
        ]
    }

    /// The same of payloads of which a value is sealed: the first one of the data.
    private static func sealing(_ drafts: [EventDraft], _ encoder: PayloadEncoder) -> HotFunction {
        let key = SubjectKey()
        let sealed = drafts.compactMap { draft -> (draft: EventDraft, seal: PayloadSeal)? in
            var members = JSONMembers(of: draft.data.span, trusted: true)
            guard let value = try? members.next(in: draft.data.span)?.value.range else { return nil }
            let identity = PayloadIdentity(stream: draft.id.uuid, event: draft.id.uuid)
            return (draft, PayloadSeal(data: [value], metadata: [], keyID: 1, key: key, identity: identity))
        }
        return HotFunction(name: "codec: encode a payload and seal a value of it", events: 1) { number in
            let (draft, seal) = sealed[number % sealed.count]
            return (try? encoder.encode(data: draft.data, metadata: draft.metadata, sealing: seal).frame.count) ?? 0
        }
    }

    /// Reading a producer's line: all of it is checked, and the fields are taken out.
    private static func lineScan(_ sample: Sample) -> HotFunction {
        let lines = sample.lines
        return HotFunction(name: "JSON: read an event's line", events: 1) { number in
            let line = lines[number % lines.count]
            return (try? EventLine(line).event.data.count) ?? 0
        }
    }

    /// Checking that bytes are one JSON value.
    private static func objectScan(_ sample: Sample) -> HotFunction {
        let objects = sample.events.map(\.event.data)
        return HotFunction(name: "JSON: validate an event's data", events: 1) { number in
            let object = objects[number % objects.count]
            return (try? JSONScanner.validate(object.span).range.count) ?? 0
        }
    }

    /// Binary forms of the arrays that a group of events is stored from.
    private static func parameters(_ sample: Sample) -> HotFunction {
        let streams = sample.events.map(\.stream.uuid)
        let ids = sample.events.map(\.event.id.uuid)
        let versions = sample.events.indices.map { Int32($0) }
        let times = sample.events.map {
            PostgresTimestamp(unixMicroseconds: ($0.event.occurredAt ?? .now()).microseconds)
        }
        let payloads = sample.events.map { PostgresBytea($0.event.data) }
        return HotFunction(name: "parameters: a group of \(streams.count) events", events: streams.count) { _ in
            var buffer = PostgresBuffer()
            _ = times.encode(into: &buffer)
            _ = versions.encode(into: &buffer)
            _ = streams.encode(into: &buffer)
            _ = ids.encode(into: &buffer)
            _ = payloads.encode(into: &buffer)
            return buffer.count
        }
    }

    /// The checksum of a frame.
    private static func checksum(_ sample: Sample) -> HotFunction {
        let objects = sample.events.map(\.event.data)
        return HotFunction(name: "checksum: CRC-32C of an event's data", events: 1) { number in
            var checksum = CRC32C()
            let object = objects[number % objects.count]
            unsafe object.span.withUnsafeBytes { unsafe checksum.update($0) }
            return Int(checksum.value)
        }
    }
}
