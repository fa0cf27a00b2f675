import Testing

@testable import PayloadCodec

@Suite struct CRC32CTests {
    @Test func `known answers of RFC 3720 come out`() {
        #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(checksum([]) == 0)
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(checksum(Array((0..<32).reversed())) == 0x113F_DB5C)
    }

    @Test func `every length and alignment agrees with the bitwise definition`() {
        let bytes = Payloads.noise(80)
        for start in 0..<8 {
            for end in start...bytes.count {
                let piece = Array(bytes[start..<end])
                #expect(checksum(bytes, in: start..<end) == bitwise(piece))
            }
        }
    }

    @Test func `a word is the same as its four bytes`() {
        var word = CRC32C()
        word.update(littleEndian: 0x3433_3231)
        #expect(word.value == checksum(Array("1234".utf8)))
    }

    private func checksum(_ bytes: [UInt8], in range: Range<Int>? = nil) -> UInt32 {
        var crc = CRC32C()
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe crc.update(UnsafeRawBufferPointer(rebasing: buffer[range ?? 0..<buffer.count]))
        }
        return crc.value
    }

    private func bitwise(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 0 ? 0 : 0x82F6_3B78) }
        }
        return ~crc
    }
}
