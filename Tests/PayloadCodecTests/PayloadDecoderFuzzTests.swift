import Testing

@testable import PayloadCodec

/// 100,000 broken frames: each is refused with a typed error, or is still the payload that was encoded.
@Suite struct PayloadDecoderFuzzTests {
    @Test(arguments: 0..<10)
    func `a mutated frame never gives wrong bytes`(seed: Int) throws {
        var fuzz = try FrameFuzz(seed: UInt64(seed + 1))
        var refused = 0
        for round in 0..<10_000 {
            let frame = fuzz.next()
            var buffer: [UInt8] = []
            do {
                let range = try fuzz.decoder.decode(frame, into: &buffer)
                let payload = FrameFuzz.Payload(
                    data: Array(buffer[range.data]),
                    metadata: Array(buffer[range.metadata])
                )
                #expect(fuzz.payloads.contains(payload), "round \(round): \(frame.prefix(40))")
            } catch {
                refused += 1
                #expect(buffer.isEmpty, "a refused frame left bytes behind")
                #expect([.corrupt, .unknownVersion, .unknownDictionary, .tooLarge].contains(error.code))
            }
            // A byte of an LZ4 block stands for 255 at most, and one of packed text for 3.
            let mostExpansion = 255 * PackedText.mostExpansion
            // A refused frame's room is still the buffer's capacity, so this sees every allocation.
            #expect(buffer.capacity <= min(2 * PayloadFrame.lengthLimit, mostExpansion * frame.count) + 64)
        }
        #expect(refused > 9_000)
    }

    @Test func `what the header alone betrays allocates nothing`() throws {
        let absurd: [[UInt8]] = [
            [0x10, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0, 0, 0, 0, 0, 0x7B, 0x7D],
            [0x11, 0, 0x80, 0x80, 0x40, 0x80, 0x80, 0x40, 0, 0, 0, 0, 0x7B, 0x7D],
            [0x11, 9, 0x7F, 0, 0, 0, 0, 0, 0x7B, 0x7D],
            [0x1F, 0, 1, 0, 0, 0, 0, 0, 0x7B],
        ]
        for frame in absurd {
            var buffer: [UInt8] = []
            #expect(throws: PayloadCodecError.self) { try PayloadDecoder().decode(frame, into: &buffer) }
            #expect(buffer.capacity == 0)
        }
    }

    @Test func `each single flipped bit of a frame is refused or harmless`() throws {
        let fuzz = try FrameFuzz(seed: 0)
        for frame in fuzz.frames where frame.count < 600 {
            for bit in 0..<(frame.count * 8) {
                var broken = frame
                broken[bit / 8] ^= 1 << (bit % 8)
                guard let decoded = try? fuzz.decoder.decode(broken) else { continue }
                let payload = FrameFuzz.Payload(data: Array(decoded.data), metadata: Array(decoded.metadata))
                #expect(fuzz.payloads.contains(payload))
            }
        }
    }

    @Test func `a frame cut anywhere, or with anything behind it, is refused`() throws {
        let fuzz = try FrameFuzz(seed: 0)
        for frame in fuzz.frames where frame.count < 600 {
            for end in 0..<frame.count {
                #expect(throws: PayloadCodecError.self) { try fuzz.decoder.decode(Array(frame[..<end])) }
            }
            for byte in 0...255 {
                #expect(throws: PayloadCodecError.self) { try fuzz.decoder.decode(frame + [UInt8(byte)]) }
            }
        }
    }
}
