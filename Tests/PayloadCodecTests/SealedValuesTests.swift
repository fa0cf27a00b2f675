import Crypto
import FoundationEssentials
import Testing

@testable import PayloadCodec

/// Values of every kind through a seal and back, by each way of encoding.
@Suite struct SealedValuesTests {
    /// A JSON object, and where in it the values lie that are sealed.
    private struct Object {
        private(set) var json: [UInt8] = [UInt8(ascii: "{")]
        private(set) var sealed: [Range<Int>] = []

        mutating func add(_ name: String, _ value: String, isSealed: Bool) {
            if json.count > 1 { json += Array(", ".utf8) }
            json += Array("\"\(name)\" :".utf8)
            let start = json.count
            json += Array(value.utf8)
            if isSealed { sealed.append(start..<json.count) }
        }

        mutating func close() { json.append(UInt8(ascii: "}")) }

        /// What everybody may read of it.
        var rest: [UInt8] {
            var rest: [UInt8] = []
            var start = 0
            for range in sealed {
                rest += json[start..<range.lowerBound] + Array("null".utf8)
                start = range.upperBound
            }
            return rest + json[start...]
        }
    }

    private static let values = [
        #""""#, "0", "true", #""a""#, #""née 東京 🎉""#, #""\"quoted\" \\ \u0000 \ud83c\udf89""#, "[]", "{}",
        #"{"street":{"name":"Main","numbers":[1,2,3]},"null":null}"#, "-1.5e300",
        #""0190163d-8694-739b-aea5-966c26f8ad91""#, #""\#(String(repeating: "to be or not to be ", count: 300))""#,
        #""\#(String(repeating: "x", count: 127))""#, #""\#(String(repeating: "y", count: 16_383))""#,
        #"["\#(String(repeating: "z", count: 200_000))"]"#,
        "\"\u{1}\u{2} no JSON, but bytes that packed text marks with\"",
    ]

    private static func encoders() throws -> [PayloadEncoder] {
        let dictionary = try PayloadDictionary(id: 9, bytes: Array(#"{"turnId":"t-1","userTranscript":"to be"}"#.utf8))
        return [
            PayloadEncoder(), PayloadEncoder(compression: .none), PayloadEncoder(compression: .high(level: 9)),
            PayloadEncoder(dictionary: dictionary),
            PayloadEncoder(dictionary: dictionary, compression: .high(level: 4)),
        ]
    }

    private static func decoder(of encoder: PayloadEncoder) -> PayloadDecoder {
        PayloadDecoder(dictionaries: DictionaryStore(encoder.dictionary.map { [$0] } ?? []))
    }

    /// Encodes behind other frames, decodes with and without the key, and compares.
    private static func check(_ data: Object, _ metadata: Object, by encoder: PayloadEncoder) throws {
        let key = SubjectKey()
        let identity = PayloadIdentity(stream: UUID(), event: UUID())
        let seal = PayloadSeal(
            data: data.sealed,
            metadata: metadata.sealed,
            keyID: 1 << 33,
            key: key,
            identity: identity
        )
        var frames: [UInt8] = [1, 2, 3]
        let encoding = try encoder.encode(data: data.json, metadata: metadata.json, sealing: seal, into: &frames)
        #expect(frames.prefix(3) == [1, 2, 3])
        let frame = Array(frames.dropFirst(3))
        let decoder = decoder(of: encoder)
        let opened = try decoder.decode(frame, keys: .known([1 << 33: .key(key)], identity: identity))
        #expect(Array(opened.data) == data.json)
        #expect(Array(opened.metadata) == metadata.json)
        #expect(opened.erased.isEmpty)
        let rest = try decoder.decode(frame, keys: .publicPart)
        #expect(Array(rest.data) == data.rest)
        #expect(Array(rest.metadata) == metadata.rest)
        #expect(rest.erased.count == data.sealed.count + metadata.sealed.count)
        if encoder.dictionary == nil || encoder.compression == .none { #expect(encoding.rawValue <= 0) }
    }

    @Test func `each value comes back alone, in data and in metadata`() throws {
        for encoder in try Self.encoders() {
            for value in Self.values {
                for isInMetadata in [false, true] {
                    var (data, metadata) = (Object(), Object())
                    data.add("kept", "1", isSealed: false)
                    data.add("value", isInMetadata ? "2" : value, isSealed: !isInMetadata)
                    if isInMetadata { metadata.add("value", value, isSealed: true) }
                    data.close()
                    metadata.close()
                    try Self.check(data, metadata, by: encoder)
                }
            }
        }
    }

    @Test func `any mixture of values comes back, whatever was encoded before`() throws {
        let encoders = try Self.encoders()
        var random = SystemRandomNumberGenerator()
        for round in 0..<400 {
            var objects = [Object(), Object()]
            for place in 0...1 {
                for number in 0..<Int.random(in: 1...12, using: &random) {
                    let value = Self.values[Int.random(in: 0..<Self.values.count - 2, using: &random)]
                    objects[place].add("n\(number)", value, isSealed: number == place || Bool.random(using: &random))
                }
                objects[place].close()
            }
            guard objects.contains(where: { !$0.sealed.isEmpty }) else { continue }
            try Self.check(objects[0], objects[1], by: encoders[round % encoders.count])
        }
    }

    @Test
    func `as many values as a section holds come back, shorter than the null in their places; one more is refused`()
        throws
    {
        for count in [SealedSection.countLimit, SealedSection.countLimit + 1] {
            var data = Object()
            for number in 0..<count { data.add("\(number)", "1", isSealed: true) }
            data.close()
            var metadata = Object()
            metadata.close()
            for encoder in try Self.encoders() {
                guard count > SealedSection.countLimit else {
                    try Self.check(data, metadata, by: encoder)
                    continue
                }
                var frames: [UInt8] = [1]
                let seal = PayloadSeal(
                    data: data.sealed,
                    metadata: [],
                    keyID: 1,
                    key: SubjectKey(),
                    identity: PayloadIdentity(stream: UUID(), event: UUID())
                )
                let error = #expect(throws: PayloadCodecError.self) {
                    try encoder.encode(data: data.json, metadata: metadata.json, sealing: seal, into: &frames)
                }
                #expect(error?.code == .tooLarge)
                #expect(frames == [1])
            }
        }
    }

    @Test func `the largest payloads come back, also where the null is longer than what it stands for`() throws {
        func object(_ value: String, isSealed: Bool) -> Object {
            var object = Object()
            object.add("one", "1", isSealed: true)
            object.add("much", value, isSealed: isSealed)
            object.close()
            return object
        }
        let rest = PayloadFrame.lengthLimit - object(#""""#, isSealed: false).json.count
        for filling in [Array(repeating: UInt8(ascii: "x"), count: rest), Payloads.noise(rest).map { 0x61 + $0 % 26 }] {
            let text = "\"\(String(decoding: filling, as: UTF8.self))\""
            for isSealed in [false, true] {
                let largest = object(text, isSealed: isSealed)
                #expect(largest.json.count == PayloadFrame.lengthLimit)
                for encoder in try Self.encoders().prefix(2) { try Self.check(largest, largest, by: encoder) }
                guard isSealed else { continue }
                // Who has no key knows how much memory it takes.
                let seal = PayloadSeal(
                    data: largest.sealed,
                    metadata: [],
                    keyID: 1,
                    key: SubjectKey(),
                    identity: PayloadIdentity(stream: UUID(), event: UUID())
                )
                let frame = try PayloadEncoder().encode(data: largest.json, metadata: [], sealing: seal).frame
                let limit = try unsafe frame.span.withUnsafeBytes { unsafe try PayloadFrame(parsing: $0).decodedLimit }
                #expect(limit >= largest.json.count && limit <= 17 * largest.json.count)
            }
        }
    }

    @Test func `who has no key knows how much memory sealed values take at most`() throws {
        for count in [0, 1, 100, 1_000, 1_022, 1_023, 5_000, 60_000, 65_534, 65_535, 200_000] {
            for text in [String(repeating: "x", count: count), String(repeating: "to be ", count: count / 6)] {
                var object = Object()
                object.add("value", "\"\(text)\"", isSealed: true)
                object.close()
                let seal = PayloadSeal(
                    data: object.sealed,
                    metadata: [],
                    keyID: 1,
                    key: SubjectKey(),
                    identity: PayloadIdentity(stream: UUID(), event: UUID())
                )
                for encoder in try Self.encoders() {
                    let frame = try encoder.encode(data: object.json, metadata: [], sealing: seal).frame
                    let limit = try unsafe frame.span.withUnsafeBytes {
                        unsafe try PayloadFrame(parsing: $0).decodedLimit
                    }
                    #expect(limit >= object.json.count, "\(count) letters")
                    #expect(limit <= 17 * object.json.count + 1_024, "\(count) letters")
                }
            }
        }
    }

    @Test func `the same payload is never sealed under the same nonce`() throws {
        let encoder = PayloadEncoder()
        let key = SubjectKey()
        var nonces: Set<[UInt8]> = []
        for _ in 0..<5_000 {
            let seal = PayloadSeal(
                data: [5..<8],
                metadata: [],
                keyID: 1,
                key: key,
                identity: PayloadIdentity(stream: UUID(), event: UUID())
            )
            let frame = try encoder.encode(data: Array(#"{"a":"b"}"#.utf8), metadata: [], sealing: seal).frame
            let section = try #require(
                try unsafe frame.span.withUnsafeBytes { unsafe try PayloadFrame(parsing: $0).section }
            )
            #expect(nonces.insert(Array(frame[section.sealed].prefix(12))).inserted)
        }
    }

    @Test func `what one implementation seals, the other one opens, and nobody opens it for anything else`() throws {
        let cipher = try SealingCipher()
        for length in [0, 1, 15, 16, 17, 64, 255, 4_096, 100_000] {
            let plain = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let (bytes, context) = (
                [UInt8](repeating: UInt8(truncatingIfNeeded: length), count: 32), Array("context".utf8)
            )
            let key = try #require(SubjectKey(bytes: bytes))
            var sealed = [UInt8](repeating: 0, count: length + SubjectKey.overhead)
            try unsafe sealed.withUnsafeMutableBytes { target in
                try unsafe plain.withUnsafeBytes { plain in
                    try unsafe context.withUnsafeBytes { context in
                        guard let target = target.baseAddress else { return }
                        try unsafe cipher.seal(plain, context: context, under: key, to: target)
                    }
                }
            }
            let box = try AES.GCM.SealedBox(combined: sealed)
            #expect(try AES.GCM.open(box, using: SymmetricKey(data: bytes), authenticating: context) == Data(plain))
            #expect(key.open(sealed[...], context: context) == plain)
            #expect(key.open(sealed[...], context: context + [0]) == nil)
        }
    }
}
