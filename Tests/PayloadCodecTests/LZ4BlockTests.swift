import Testing

@testable import PayloadCodec

/// liblz4 is the judge of what our own compressor writes.
@Suite struct LZ4BlockTests {
    @Test(arguments: [0, 1, 7, 8, 9, 300, 65535, 65536])
    func `liblz4 reads every block back`(dictionarySize: Int) throws {
        let dictionary = Array((0..<400).flatMap(Payloads.turn).prefix(dictionarySize))
        for count in Array(0...40) + [63, 64, 65, 254, 255, 256, 270, 271, 272, 1000, 65535, 65536]
        where count <= 1000 || [8, 65536].contains(dictionarySize) {
            for message in messages(count, like: dictionary) {
                #expect(roundTrip(message, dictionary) == message, "\(count) bytes")
            }
        }
    }

    @Test func `structured noise of every kind comes back`() throws {
        let dictionary = Payloads.noise(3000, seed: 9).map { $0 & 3 }
        for seed in 1..<1500 {
            let noise = Payloads.noise(seed % 700, seed: UInt64(seed))
            let letters = noise.map { $0 & UInt8(truncatingIfNeeded: (1 << (seed % 5)) - 1) }
            #expect(roundTrip(letters, dictionary) == letters, "seed \(seed)")
        }
    }

    @Test func `matches reach as far back as an offset can, and no further`() throws {
        let dictionary = Payloads.noise(65536, seed: 3)
        for start in [0, 1, 2, 30] {
            for lead in [0, 1, 2, 29, 30, 31, 100] {
                let message =
                    Payloads.noise(lead, seed: 4) + dictionary[start..<(start + 40)] + Payloads.noise(20, seed: 5)
                #expect(roundTrip(message, dictionary) == message)
            }
        }
    }

    private func messages(_ count: Int, like dictionary: [UInt8]) -> [[UInt8]] {
        [
            Payloads.noise(count), [UInt8](repeating: 0x20, count: count), Array(dictionary.prefix(count)),
            Array(dictionary.suffix(count)), Array((300..<900).flatMap(Payloads.turn).prefix(count)),
            (0..<count).map { UInt8(truncatingIfNeeded: $0 % 7) },
        ]
    }

    /// The message after both ways, or nil if liblz4 refused the block.
    private func roundTrip(_ message: [UInt8], _ dictionary: [UInt8]) -> [UInt8]? {
        let arena = dictionary + message
        let room = LZ4State.bound(message.count) + LZ4Block.slack
        let block = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            unsafe arena.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress, let output = target.baseAddress else { return }
                let compressor = unsafe LZ4Block(
                    base: base,
                    dictionaryCount: dictionary.count,
                    dictionary: LZ4DictionaryIndex(dictionary)
                )
                count = unsafe compressor.compress(count: message.count, into: output)
            }
        }
        guard block.count <= LZ4State.bound(message.count) else { return nil }
        var decoded = [UInt8](repeating: 0, count: message.count)
        let count = unsafe decoded.withUnsafeMutableBytes { target in
            unsafe block.withUnsafeBytes { block in
                unsafe dictionary.withUnsafeBytes { dictionary in
                    unsafe LZ4State.decompress(block, into: target, dictionary: dictionary)
                }
            }
        }
        return count == message.count ? decoded : nil
    }
}
