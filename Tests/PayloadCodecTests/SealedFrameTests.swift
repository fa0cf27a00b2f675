import Crypto
import FoundationEssentials
import Testing

@testable import PayloadCodec

/// Frames of which something is sealed under a subject's key.
@Suite struct SealedFrameTests {
    private static let identity = PayloadIdentity(stream: UUID(), event: UUID())
    private static let data = Array(
        #"{"turnId":"t-1","userTranscript":"My name is Ada Lovelace","asrLatencyMs":120.5}"#.utf8
    )
    private static let metadata = Array(#"{"actor":"asr","ipAddress":"203.0.113.7"}"#.utf8)

    /// Where a text lies in JSON.
    private static func range(of text: String, in json: [UInt8]) throws -> Range<Int> {
        let text = Array(text.utf8)
        let start = try #require(
            (0...(json.count - text.count)).first { json[$0..<($0 + text.count)].elementsEqual(text) }
        )
        return start..<(start + text.count)
    }

    private static func seal(
        _ key: SubjectKey?,
        id: Int64 = 7,
        identity: PayloadIdentity = identity
    ) throws -> PayloadSeal {
        PayloadSeal(
            data: [try range(of: #""My name is Ada Lovelace""#, in: data)],
            metadata: [try range(of: #""203.0.113.7""#, in: metadata)],
            keyID: id,
            key: key,
            identity: identity
        )
    }

    private static func keys(_ state: PayloadKeys.State, identity: PayloadIdentity = identity) -> PayloadKeys {
        .known([7: state], identity: identity)
    }

    @Test func `the key gives the exact bytes back`() throws {
        let key = SubjectKey()
        let frame = try PayloadEncoder().encode(data: Self.data, metadata: Self.metadata, sealing: Self.seal(key)).frame
        let payload = try PayloadDecoder().decode(frame, keys: Self.keys(.key(key)))
        #expect(Array(payload.data) == Self.data)
        #expect(Array(payload.metadata) == Self.metadata)
        #expect(payload.erased == [])
    }

    @Test func `a key whose id has no room in a frame seals nothing, the last one that has does`() throws {
        let (key, last) = (SubjectKey(), Int64(1) << 35 - 1)
        var frames: [UInt8] = [1]
        for id in [last + 1, .max, -1, .min] {
            let error = try #require(throws: PayloadCodecError.self) {
                try PayloadEncoder().encode(
                    data: Self.data,
                    metadata: Self.metadata,
                    sealing: Self.seal(key, id: id),
                    into: &frames
                )
            }
            #expect(error.code == .badKey && frames == [1])
        }
        let seal = try Self.seal(key, id: last)
        let frame = try PayloadEncoder().encode(data: Self.data, metadata: Self.metadata, sealing: seal).frame
        let keys = PayloadKeys.known([last: .key(key)], identity: Self.identity)
        #expect(try Array(PayloadDecoder().decode(frame, keys: keys).data) == Self.data)
    }

    @Test func `one encoder seals under keys by turns, each payload under its own`() throws {
        let encoder = PayloadEncoder()
        let keys = (0..<3).map { _ in SubjectKey() }
        for turn in [0, 0, 1, 0, 1, 1, 2, 0, 0, 2] {
            let frame = try encoder.encode(data: Self.data, metadata: Self.metadata, sealing: Self.seal(keys[turn]))
                .frame
            for (place, key) in keys.enumerated() {
                let payload = try? PayloadDecoder().decode(frame, keys: Self.keys(.key(key)))
                #expect((payload.map { Array($0.data) } == Self.data) == (place == turn))
            }
        }
    }

    @Test func `nothing of what is sealed stands in the frame`() throws {
        let frame = try PayloadEncoder().encode(
            data: Self.data,
            metadata: Self.metadata,
            sealing: Self.seal(SubjectKey())
        ).frame
        let text = String(decoding: frame, as: UTF8.self)
        #expect(!text.contains("Ada"))
        #expect(!text.contains("203.0"))
    }

    @Test func `without the key everything else can be read, and what is gone is named`() throws {
        let frame = try PayloadEncoder().encode(
            data: Self.data,
            metadata: Self.metadata,
            sealing: Self.seal(SubjectKey())
        ).frame
        for keys in [Self.keys(.destroyed), .publicPart] {
            let payload = try PayloadDecoder().decode(frame, keys: keys)
            #expect(
                String(decoding: payload.data, as: UTF8.self)
                    == #"{"turnId":"t-1","userTranscript":null,"asrLatencyMs":120.5}"#
            )
            #expect(String(decoding: payload.metadata, as: UTF8.self) == #"{"actor":"asr","ipAddress":null}"#)
            for place in payload.erased { #expect(Array(payload.bytes[place..<(place + 4)]) == Array("null".utf8)) }
            #expect(payload.erased.count == 2)
        }
    }

    @Test func `a key that was not given is asked for, never passed over`() throws {
        let frame = try PayloadEncoder().encode(
            data: Self.data,
            metadata: Self.metadata,
            sealing: Self.seal(SubjectKey())
        ).frame
        for keys in [PayloadKeys.none, .known([8: .destroyed], identity: Self.identity)] {
            var buffer: [UInt8] = [1, 2]
            let error = #expect(throws: PayloadCodecError.self) {
                try PayloadDecoder().decode(frame, keys: keys, into: &buffer)
            }
            #expect(error?.code == .missingKey)
            #expect(error?.key == 7)
            #expect(buffer == [1, 2])
        }
    }

    @Test func `a section that was moved to another event, or sealed under another key, is corrupt`() throws {
        let key = SubjectKey()
        let (stream, event) = (UUID(), UUID())
        let seal = try Self.seal(key, identity: PayloadIdentity(stream: stream, event: event))
        let frame = try PayloadEncoder().encode(data: Self.data, metadata: Self.metadata, sealing: seal).frame
        let others = [
            PayloadIdentity(stream: stream, event: UUID()), PayloadIdentity(stream: UUID(), event: event),
            PayloadIdentity(stream: event, event: stream),
        ]
        for keys in others.map({ Self.keys(.key(key), identity: $0) }) + [Self.keys(.key(SubjectKey()))] {
            let error = #expect(throws: PayloadCodecError.self) { try PayloadDecoder().decode(frame, keys: keys) }
            #expect(error?.code == .corrupt)
        }
    }

    @Test func `no changed byte goes unnoticed`() throws {
        let key = SubjectKey()
        let frame = try PayloadEncoder().encode(data: Self.data, metadata: Self.metadata, sealing: Self.seal(key)).frame
        for place in frame.indices {
            var changed = frame
            changed[place] ^= 1
            let payload = try? PayloadDecoder().decode(changed, keys: Self.keys(.key(key)))
            #expect(payload == nil, "byte \(place)")
        }
        for length in frame.indices {
            #expect(throws: PayloadCodecError.self) {
                try PayloadDecoder().decode(Array(frame[..<length]), keys: Self.keys(.key(key)))
            }
        }
    }

    @Test func `a destroyed key drops what it would seal`() throws {
        let frame = try PayloadEncoder().encode(data: Self.data, metadata: Self.metadata, sealing: Self.seal(nil)).frame
        for keys in [Self.keys(.destroyed), Self.keys(.key(SubjectKey()))] {
            let payload = try PayloadDecoder().decode(frame, keys: keys)
            #expect(payload.erased.count == 2)
            #expect(!String(decoding: payload.bytes, as: UTF8.self).contains("Ada"))
        }
    }

    @Test(arguments: [false, true]) func `sealed values are compressed, with a dictionary too`(hasDictionary: Bool)
        throws
    {
        let text = (0..<40).map { "I would like to book table \($0) for two at \(37 * $0 % 24) o'clock. " }.joined()
        let data = Array(#"{"userTranscript":"\#(text)","n":1,"alternatives":["\#(text)"],"x":""}"#.utf8)
        let dictionary = try PayloadDictionary(id: 3, bytes: Array(text.utf8.prefix(60)))
        let key = SubjectKey()
        let seal = PayloadSeal(
            data: [
                try Self.range(of: #""\#(text)""#, in: data), try Self.range(of: #"["\#(text)"]"#, in: data),
                try Self.range(of: #""""#, in: data),
            ],
            metadata: [],
            keyID: 300,
            key: key,
            identity: Self.identity
        )
        let encoder = PayloadEncoder(dictionary: hasDictionary ? dictionary : nil)
        let (frame, encoding) = try encoder.encode(data: data, metadata: [], sealing: seal)
        #expect(frame.count < data.count / 4)
        #expect(encoding.rawValue == (hasDictionary ? 3 : -1))
        let decoder = PayloadDecoder(dictionaries: DictionaryStore([dictionary]))
        let payload = try decoder.decode(frame, keys: .known([300: .key(key)], identity: Self.identity))
        #expect(Array(payload.data) == data)
    }

    @Test func `keys wrap and unwrap for their subject only`() async throws {
        let wrapping = LocalKeyEncryptionKey()
        let key = SubjectKey()
        let wrapped = try await wrapping.wrap([([1], key), ([2], SubjectKey())])
        let unwrapped = try await wrapping.unwrap([([1], wrapped[0]), ([1], wrapped[1]), ([2], wrapped[1])])
        #expect(unwrapped[0]?.bytes == key.bytes)
        #expect(unwrapped[1] == nil)
        #expect(unwrapped[2] != nil)
        let again = try #require(LocalKeyEncryptionKey(base64: wrapping.base64))
        #expect(again.identifier == wrapping.identifier)
        #expect(try await again.unwrap([([1], wrapped[0])])[0]?.bytes == key.bytes)
        #expect(try await LocalKeyEncryptionKey().unwrap([([1], wrapped[0])])[0] == nil)
        #expect(LocalKeyEncryptionKey(base64: "c2hvcnQ=") == nil)
    }
}
