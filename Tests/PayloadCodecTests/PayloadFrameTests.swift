import Testing

@testable import PayloadCodec

@Suite struct PayloadFrameTests {
    @Test func `our identity frame is these bytes`() throws {
        let (frame, encoding) = try PayloadEncoder().encode(data: Array(#"{"a":1}"#.utf8), metadata: Array("{}".utf8))
        #expect(encoding == .identity)
        // CRC-32C of 07 00 00 00 7b 22 61 22 3a 31 7d, computed bit by bit in another language.
        #expect(frame == [0x10, 0x00, 0x07, 0x00] + GoldenFrames.identityChecksum + Array(#"{"a":1}"#.utf8))
    }

    @Test func `the frame that SQL writes is read`() throws {
        // sha256('\x070000007b2261223a317d'::bytea) begins with these four bytes.
        let frame = [0x12, 0x00, 0x07, 0x00] + GoldenFrames.sqlChecksum + Array(#"{"a":1}"#.utf8)
        #expect(frame == Payloads.sqlFrame(data: Array(#"{"a":1}"#.utf8), metadata: []))
        let decoded = try PayloadDecoder().decode(frame)
        #expect(decoded.data == Array(#"{"a":1}"#.utf8)[...])
        #expect(decoded.metadata == Array("{}".utf8)[...])
        let header = try unsafe frame.withUnsafeBytes { try unsafe PayloadFrame(parsing: $0) }
        #expect(header.flags == .sha256)
        #expect(header.encoding == .identity)
    }

    @Test func `an LZ4 frame of an earlier build is still read`() throws {
        let decoded = try PayloadDecoder().decode(GoldenFrames.lz4)
        #expect(decoded.data == Array(#"{"text":"\#(String(repeating: "la", count: 40))"}"#.utf8)[...])
        #expect(decoded.metadata == Array("{}".utf8)[...])
    }

    @Test func `an LZ4 frame with a dictionary of an earlier build is still read`() throws {
        let dictionary = try PayloadDictionary(id: 300, bytes: Array(#"{"turnId":"","turnIndex":1,"by":"user"}"#.utf8))
        let decoder = PayloadDecoder(dictionaries: DictionaryStore([dictionary]))
        let decoded = try decoder.decode(GoldenFrames.lz4WithDictionary)
        #expect(decoded.data == Array(#"{"turnId":"7","turnIndex":1,"by":"user"}"#.utf8)[...])
        #expect(decoded.metadata == Array(#"{"by":"user"}"#.utf8)[...])
    }

    @Test(
        arguments: [
            ([], .corrupt),
            ([0x00, 0, 0, 0, 0, 0, 0, 0], .unknownVersion),
            ([0x30, 0, 0, 0, 0, 0, 0, 0], .unknownVersion),
            ([0x14, 0, 0, 0, 0, 0, 0, 0], .corrupt),
            ([0x18, 0, 0, 0, 0, 0, 0, 0], .corrupt),
            ([0x10], .corrupt),
            ([0x10, 0x80], .corrupt),
            ([0x10, 0, 0x80, 0x00, 0, 0, 0, 0, 0], .corrupt),
            ([0x10, 0x80, 0x80, 0x00, 0, 0, 0, 0, 0, 0], .corrupt),
            ([0x10, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0, 0, 0, 0, 0], .corrupt),
            ([0x10, 0, 0, 0, 0, 0, 0], .corrupt),
            ([0x10, 0, 1, 0, 0, 0, 0, 0], .corrupt),
            ([0x10, 0, 0, 0, 0, 0, 0, 0, 1], .corrupt),
            ([0x10, 1, 0, 0, 0, 0, 0, 0], .corrupt),
            ([0x11, 0x80, 0x80, 0x02, 0, 0, 0, 0, 0, 0], .corrupt),
            ([0x11, 0, 0x81, 0x80, 0x40, 0, 0, 0, 0, 0, 0], .tooLarge),
            ([0x11, 0, 0, 0x81, 0x80, 0x40, 0, 0, 0, 0, 0], .tooLarge),
            ([0x11, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0, 0, 0], .tooLarge),
            ([0x11, 0, 0x80, 0x80, 0x40, 0, 0, 0, 0, 0, 0], .corrupt),
        ] as [([UInt8], PayloadCodecError.Code)]
    )
    func `a bad header is refused`(frame: [UInt8], code: PayloadCodecError.Code) {
        let error = #expect(throws: PayloadCodecError.self) { try PayloadDecoder().decode(frame) }
        #expect(error?.code == code)
    }

    @Test func `a mebibyte of each is the largest that is read`() throws {
        let largest = Payloads.noise(PayloadFrame.lengthLimit)
        let decoded = try PayloadDecoder().decode(Payloads.sqlFrame(data: largest, metadata: largest))
        #expect(decoded.data == largest[...])
        #expect(decoded.metadata == largest[...])
        let error = #expect(throws: PayloadCodecError.self) {
            try PayloadDecoder().decode(Payloads.sqlFrame(data: largest + [0], metadata: []))
        }
        #expect(error?.code == .tooLarge)
    }
}
