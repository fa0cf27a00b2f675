import Foundation
import Testing

@testable import PayloadCodec

@Suite struct PackedTextTests {
    private static let uuid = "019cad8f-ac00-7e4e-a7b6-815d4e98868f"
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"
    /// An event of the same minute as `uuid`.
    private static let event = UUID(uuidString: "019cad8f-d1bd-76c5-b506-8f76320fb771")

    /// Packs and unpacks, for the event if there is one; returns the packed size.
    private func roundTrip(_ bytes: [UInt8], _ event: UUID? = nil) throws -> Int {
        let packed = packed(bytes, event)
        var back = [UInt8](repeating: 0xFF, count: bytes.count)
        #expect(unpack(packed, event, to: &back))
        #expect(back == bytes)
        return packed.count
    }

    private func packed(_ bytes: [UInt8], _ event: UUID? = nil) -> [UInt8] {
        var values: [UInt8] = []
        let room = [UInt8](repeating: 0, count: bytes.count)
        let text = unsafe [UInt8](unsafeUninitializedCapacity: bytes.count) { target, count in
            guard let base = target.baseAddress else { return }
            var behind = room
            unsafe behind.withUnsafeMutableBytes { behind in
                guard let start = behind.baseAddress else { return }
                var end = UnsafeMutableRawPointer(base)
                var first = unsafe start + behind.count
                let isPacked = unsafe bytes.withUnsafeBytes {
                    unsafe PackedText.pack($0, of: event?.prefix, to: &end, &first)
                }
                #expect(isPacked)
                count = unsafe end - UnsafeMutableRawPointer(base)
                unsafe values = Array(behind[(first - start)...])
            }
        }
        return text + values
    }

    private func unpack(
        _ packed: [UInt8],
        _ event: UUID? = nil,
        layout: PackedText.Layout = .behind,
        to target: inout [UInt8]
    ) -> Bool {
        unsafe packed.withUnsafeBytes { packed in
            unsafe target.withUnsafeMutableBytes { unsafe PackedText.unpack(packed, layout, of: event?.prefix, to: $0) }
        }
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

    @Test func `an identifier of the event's minute is four bytes shorter, and read with the event only`() throws {
        let near = Array(#"["\#(Self.uuid)","\#(Self.trace)"]"#.utf8)
        let event = try #require(Self.event)
        #expect(try roundTrip(near, event) == roundTrip(near) - 4)
        let far = try #require(UUID(uuidString: "019cad90-d1bd-76c5-b506-8f76320fb771"))
        #expect(try roundTrip(near, far) == roundTrip(near))
        var back = [UInt8](repeating: 0, count: near.count)
        #expect(!unpack(packed(near, event), to: &back))
    }

    @Test(
        arguments: [
            "", "{}", #""""#, #""\#(uuid.uppercased())""#, #""\#(trace.uppercased())""#, #""b7ad6b716920333""#,
            #""019cad8f-ac00-7e4e-a7b6_815d4e98868f""#, #""g19cad8f-ac00-7e4e-a7b6-815d4e98868f""#, uuid, trace,
            #""9cad8f-ac00-7e4e-a7b6-815d4e98868f""#, #""ü""#,
        ]
    )
    func `nothing else is taken for an identifier`(text: String) throws {
        _ = try roundTrip(Array(text.utf8))
        let marks = PackedText.text(of: Array(text.utf8), event: nil).filter { $0 < 8 }
        #expect(marks.allSatisfy { $0 == PackedNumber.mark })
    }

    @Test(
        arguments: [
            ("347.8", [PackedNumber.mark]), ("100", [PackedNumber.mark]), ("12", Array("12".utf8)),
            ("1.2", [PackedNumber.mark]), ("1..", Array("1..".utf8)), (".125", Array(".".utf8) + [PackedNumber.mark]),
            ("see 2026.", Array("see ".utf8) + [PackedNumber.mark] + Array(".".utf8)),
            ("-12.75e-100", Array("-".utf8) + [PackedNumber.mark] + Array("e-".utf8) + [PackedNumber.mark]),
            ("198.51.100.200", [PackedNumber.mark]),
            // What is too long for one is two.
            ("123456789012345678", [PackedNumber.mark, PackedNumber.mark]),
            ("1234567890123456", [PackedNumber.mark] + Array("6".utf8)),
        ] as [(String, [UInt8])]
    )
    func `numbers of three digits and more become half bytes`(text: String, left: [UInt8]) throws {
        for lead in 0..<10 {
            let before = Array("          ".utf8.prefix(lead))
            #expect(PackedText.text(of: before + text.utf8, event: nil) == before + left)
            #expect(try roundTrip(before + text.utf8) <= lead + text.utf8.count)
        }
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
        for length in 1...40 {
            for seed in 1..<40 {
                let text = Payloads.noise(length, seed: UInt64(seed)).map {
                    Array("0123456789.5\"x".utf8)[Int($0) % 14]
                }
                #expect(try roundTrip(text) <= text.count)
            }
        }
    }

    @Test func `what holds a mark is left as it is`() throws {
        for mark: UInt8 in 0..<6 {
            let bytes = Array(#""\#(Self.trace)""#.utf8) + [mark]
            #expect(PackedText.text(of: bytes, event: nil) == bytes)
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
            [1, 2, 3], [6, 0], [3, 1, 2, 3, 4, 5, 6, 7], [2] + [UInt8](repeating: 7, count: 15),
            [3] + [UInt8](repeating: 7, count: 8) + [0x20], [4], [4, 0], [4, 15], [4, 0x20, 0x20, 0xF3], [5, 1, 2, 3],
        ] as [[UInt8]],
        [PackedText.Layout.inline, .behind]
    )
    func `bytes that are no packed text of that size are refused`(bytes: [UInt8], layout: PackedText.Layout) {
        var target = [UInt8](repeating: 0, count: 16)
        #expect(!unpack(bytes, layout: layout, to: &target))
        #expect(!unpack(bytes, Self.event, layout: layout, to: &target))
    }

    @Test func `frames say that they are packed, and shrink by it`() throws {
        let data = Array(#"{"turnId":"\#(Self.uuid)","traceId":"\#(Self.trace)"}"#.utf8)
        let frame = try PayloadEncoder().encode(data: data, metadata: []).frame
        let header = try unsafe frame.withUnsafeBytes { try unsafe PayloadFrame(parsing: $0) }
        #expect(header.flags == [.lz4, .packed])
        #expect(header.layout == .behind)
        #expect(frame.count <= data.count - 30 + PayloadFrame.headerLimit)
        #expect(try Array(PayloadDecoder().decode(frame).data) == data)
    }

    @Test func `packed frames of both formats mean what they meant`() throws {
        let data = #"{"turnId":"\#(Self.uuid)","spanId":"\#(Self.span)","ms":347.8}"#
        #expect(try Array(PayloadDecoder().decode(GoldenFrames.packedInline).data) == Array(data.utf8))
        #expect(try Array(PayloadDecoder().decode(GoldenFrames.packedBehind, of: Self.event).data) == Array(data.utf8))
        let error = #expect(throws: PayloadCodecError.self) { try PayloadDecoder().decode(GoldenFrames.packedBehind) }
        #expect(error?.code == .corrupt)
    }
}
