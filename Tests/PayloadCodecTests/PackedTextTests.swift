import Testing

@testable import PayloadCodec

@Suite struct PackedTextTests {
    private static let uuid = "019cad8f-ac00-7e4e-a7b6-815d4e98868f"
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"

    /// Packs and unpacks; returns the packed size.
    private func roundTrip(_ bytes: [UInt8]) throws -> Int {
        let packed = PackedText.packed(bytes)
        var back = [UInt8](repeating: 0xFF, count: bytes.count)
        let isSound = unsafe packed.withUnsafeBytes { packed in
            unsafe back.withUnsafeMutableBytes { unsafe PackedText.unpack(packed, to: $0) }
        }
        #expect(isSound)
        #expect(back == bytes)
        return packed.count
    }

    @Test(
        arguments: [
            (#"{"turnId":"\#(uuid)"}"#, 36 - 17), (#"{"traceId":"\#(trace)"}"#, 32 - 17),
            (#"{"spanId":"\#(span)"}"#, 16 - 9), (#"{"requestId":"req_\#(span)"}"#, 16 - 9),
            (#"["\#(uuid)","\#(trace)","\#(span)","\#(uuid)"]"#, 2 * 19 + 15 + 7), (#""\#(uuid)""#, 19),
            // 36 digits end in 32, 20 in 16.
            (#""0123\#(trace)""#, 15), (#""0123\#(span)""#, 7), (#""1234567890123456""#, 7),
        ]
    )
    func `identifiers at the end of a string become bytes`(text: String, saved: Int) throws {
        #expect(try roundTrip(Array(text.utf8)) == text.utf8.count - saved)
    }

    @Test(
        arguments: [
            "", "{}", #""""#, #""\#(uuid.uppercased())""#, #""\#(trace.uppercased())""#, #""b7ad6b716920333""#,
            #""019cad8f-ac00-7e4e-a7b6_815d4e98868f""#, #""g19cad8f-ac00-7e4e-a7b6-815d4e98868f""#, uuid, trace,
            #""9cad8f-ac00-7e4e-a7b6-815d4e98868f""#, #""ü""#,
        ]
    )
    func `nothing else is packed`(text: String) throws {
        #expect(try roundTrip(Array(text.utf8)) == text.utf8.count)
    }

    @Test func `every byte pair, every digit and every place come back`() throws {
        for byte in UInt8.min...UInt8.max {
            let high = "0123456789abcdef".utf8.map { $0 }[Int(byte >> 4)]
            let low = "0123456789abcdef".utf8.map { $0 }[Int(byte & 15)]
            for length in [16, 32] {
                let digits = (0..<length / 2).flatMap { _ in [high, low] }
                for before in 0..<12 {
                    let text = [UInt8](repeating: 0x78, count: before) + [0x22] + digits + [0x22]
                    #expect(try roundTrip(text) == text.count - length + length / 2 + 1)
                }
            }
        }
    }

    @Test func `what holds a mark is left as it is`() throws {
        for mark: UInt8 in 0..<4 {
            let bytes = Array(#""\#(Self.trace)""#.utf8) + [mark]
            #expect(PackedText.packed(bytes) == bytes)
            let encoder = PayloadEncoder()
            let data = bytes + [UInt8](repeating: 0x20, count: 100)
            let frame = try encoder.encode(data: data, metadata: bytes).frame
            let decoded = try PayloadDecoder().decode(frame)
            #expect(Array(decoded.data) == data)
            #expect(Array(decoded.metadata) == bytes)
        }
    }

    @Test(
        arguments: [
            [1, 2, 3], [4, 0], [3, 1, 2, 3, 4, 5, 6, 7], [2] + [UInt8](repeating: 7, count: 15),
            [3] + [UInt8](repeating: 7, count: 8) + [0x20],
        ] as [[UInt8]]
    )
    func `bytes that are no packed text of that size are refused`(bytes: [UInt8]) {
        var target = [UInt8](repeating: 0, count: 16)
        let isSound = unsafe bytes.withUnsafeBytes { bytes in
            unsafe target.withUnsafeMutableBytes { unsafe PackedText.unpack(bytes, to: $0) }
        }
        #expect(!isSound)
    }

    @Test func `frames say that they are packed, and shrink by it`() throws {
        let data = Array(#"{"turnId":"\#(Self.uuid)","traceId":"\#(Self.trace)"}"#.utf8)
        let frame = try PayloadEncoder().encode(data: data, metadata: []).frame
        let header = try unsafe frame.withUnsafeBytes { try unsafe PayloadFrame(parsing: $0) }
        #expect(header.flags == [.lz4, .packed])
        #expect(frame.count <= data.count - 30 + PayloadFrame.headerLimit)
        #expect(try Array(PayloadDecoder().decode(frame).data) == data)
    }
}
