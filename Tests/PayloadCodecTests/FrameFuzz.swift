@testable import PayloadCodec

/// Frames of every kind, and mutations of them; the same for the same seed.
struct FrameFuzz {
    struct Payload: Hashable {
        var data: [UInt8]
        var metadata: [UInt8]
    }

    let decoder: PayloadDecoder
    /// What a frame may decode to.
    let payloads: Set<Payload>
    /// Sound frames: uncompressed, LZ4, both levels of effort, with and without dictionary, ours and SQL's.
    let frames: [[UInt8]]
    private var state: UInt64

    init(seed: UInt64) throws {
        state = seed
        let first = try PayloadDictionary(id: 1, bytes: (0..<50).flatMap(Payloads.turn))
        let second = try PayloadDictionary(id: 200, bytes: (500..<700).flatMap(Payloads.turn))
        decoder = PayloadDecoder(dictionaries: DictionaryStore([first, second]))
        var frames: [[UInt8]] = []
        var payloads: Set<Payload> = []
        let sources: [[UInt8]] =
            (0..<6).map { Payloads.turn($0 * 97) } + [
                Array("{}".utf8), Payloads.noise(150), [UInt8](repeating: 0x20, count: 3000),
            ]
        for data in sources {
            for metadata in [[], Array(#"{"actor":"someone"}"#.utf8)] {
                payloads.insert(Payload(data: data, metadata: metadata.isEmpty ? Array("{}".utf8) : metadata))
                for dictionary in [nil, first, second] {
                    for compression in [PayloadCompression.fast, .high(level: 9)] {
                        let encoder = PayloadEncoder(dictionary: dictionary, compression: compression)
                        frames.append(try encoder.encode(data: data, metadata: metadata).frame)
                    }
                }
                frames.append(Payloads.sqlFrame(data: data, metadata: metadata))
            }
        }
        self.frames = frames
        self.payloads = payloads
    }

    /// The next broken frame.
    mutating func next() -> [UInt8] {
        var frame = pick()
        switch random(8) {
        case 0: frame.removeLast(random(frame.count) + 1)
        case 1: for _ in 0...random(4) { frame[random(frame.count)] ^= 1 << random(8) }
        case 2: for _ in 0...random(8) { frame[random(frame.count)] = UInt8(random(256)) }
        case 3: frame = (0..<random(200)).map { _ in UInt8(random(256)) }
        case 4:
            frame = [UInt8(random(3) + 1) << 4 | UInt8(random(16))] + absurdHeader() + frame.suffix(random(frame.count))
        case 5: frame = frame.prefix(random(frame.count)) + pick().suffix(random(100) + 1)
        case 6: frame.insert(contentsOf: (0...random(5)).map { _ in UInt8(random(256)) }, at: random(frame.count + 1))
        default:
            let other = pick()
            let count = min(12, frame.count, other.count)
            frame.replaceSubrange(..<count, with: other.prefix(count))
            frame[random(min(frame.count, 12))] &+= UInt8(random(255) + 1)
        }
        return frame
    }

    private mutating func absurdHeader() -> [UInt8] {
        let lengths = [0, 1, 127, 128, 1 << 14, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 1 << 31, (1 << 35) - 1, 1 << 62]
        return (0..<3).flatMap { _ in Payloads.varint(lengths[random(lengths.count)]) }
    }

    private mutating func pick() -> [UInt8] { frames[random(frames.count)] }

    private mutating func random(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
