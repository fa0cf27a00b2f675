import Crypto

/// Payloads for tests: the same in every run.
enum Payloads {
    /// Bytes of a linear congruential generator, which nothing compresses.
    static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    /// An event's data as a pipeline sends it, different for each number.
    static func turn(_ number: Int) -> [UInt8] {
        let id = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15
        return Array(
            """
            {"turnId":"\(id)","llmResponse":"It is \(number % 24) o'clock in room \(number % 77)",\
            "llmLatencyMs":\(Double(number % 9973) / 10),"llmProvider":"openai","model":"gpt-4o-mini",\
            "inputTokens":\(number % 4001),"outputTokens":\(number % 211),"finishReason":"stop"}
            """.utf8
        )
    }

    /// Small and large ones, those that shrink well, those that do not.
    static let various: [[UInt8]] =
        [
            Array("{}".utf8), Array(#"{"a":1}"#.utf8), [UInt8](repeating: 0x61, count: 5000), noise(1), noise(300),
            noise(100_000), noise(1 << 20), [UInt8](repeating: 0x20, count: 1 << 20),
        ] + [0, 1, 2, 1 << 30].map(turn) + [(0..<4000).flatMap(turn).prefix(1 << 20)].map(Array.init)

    /// None, the empty object, a usual one, a large one.
    static let variousMetadata: [[UInt8]] = [
        [], Array("{}".utf8), Array(#"{"actor":"someone","traceId":"0af7651916cd43dd8448eb211c80319c"}"#.utf8),
        [UInt8](repeating: 0x7A, count: 1 << 20),
    ]

    /// The frame that `append_event(…)` stores: the raw bytes, with the checksum that SQL can compute.
    static func sqlFrame(data: [UInt8], metadata: [UInt8]) -> [UInt8] {
        let length = UInt32(data.count)
        let prefix = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        let checksum = SHA256.hash(data: prefix + data + metadata).prefix(4)
        return [0x12, 0] + varint(data.count) + varint(metadata.count) + checksum + data + metadata
    }

    /// Unsigned LEB128.
    static func varint(_ number: Int) -> [UInt8] {
        number < 128 ? [UInt8(number)] : [UInt8(number & 127 | 128)] + varint(number >> 7)
    }
}
