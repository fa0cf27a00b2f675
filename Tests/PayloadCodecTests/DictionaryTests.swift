import Testing

@testable import PayloadCodec

@Suite struct DictionaryTests {
    @Test func `a missing dictionary is named, and once inserted the frame is read`() throws {
        let dictionary = try PayloadDictionary(id: 12, bytes: Payloads.turn(1))
        let frame = try PayloadEncoder(dictionary: dictionary).encode(data: Payloads.turn(2), metadata: []).frame
        let decoder = PayloadDecoder()
        let error = #expect(throws: PayloadCodecError.self) { try decoder.decode(frame) }
        #expect(error?.code == .unknownDictionary)
        #expect(error?.dictionary == 12)
        decoder.dictionaries.insert(dictionary)
        #expect(try decoder.decode(frame).data == Payloads.turn(2)[...])
    }

    @Test func `another dictionary under the same id is noticed`() throws {
        let right = try PayloadDictionary(id: 1, bytes: Payloads.turn(1))
        let wrong = try PayloadDictionary(id: 1, bytes: Payloads.noise(300))
        let frame = try PayloadEncoder(dictionary: right).encode(data: Payloads.turn(2), metadata: []).frame
        let decoder = PayloadDecoder(dictionaries: DictionaryStore([wrong]))
        let error = #expect(throws: PayloadCodecError.self) { try decoder.decode(frame) }
        #expect(error?.code == .corrupt)
    }

    @Test func `ids, sizes and checksums are checked`() throws {
        let bytes = Payloads.turn(1)
        let good = try PayloadDictionary(id: 32767, bytes: bytes)
        #expect(good.checksum.count == 32)
        #expect(try PayloadDictionary(id: 32767, bytes: bytes, checksum: good.checksum) == good)
        let bad: [(id: Int, bytes: [UInt8], checksum: [UInt8]?)] = [
            (0, bytes, nil), (-1, bytes, nil), (32768, bytes, nil), (1, [], nil),
            (1, Payloads.noise(65537), nil), (1, bytes, []), (1, Payloads.turn(2), good.checksum),
        ]
        for (id, bytes, checksum) in bad {
            let error = #expect(throws: PayloadCodecError.self) {
                try PayloadDictionary(id: id, bytes: bytes, checksum: checksum)
            }
            #expect(error?.code == .badDictionary)
        }
    }

    @Test func `a dictionary of any size works, the smallest and the largest`() throws {
        for size in [1, 3, 4, 7, 8, 100, 65535, 65536] {
            let bytes = Array((0..<400).flatMap(Payloads.turn).prefix(size))
            let dictionary = try PayloadDictionary(id: 3, bytes: bytes)
            let decoder = PayloadDecoder(dictionaries: DictionaryStore([dictionary]))
            for compression in [PayloadCompression.fast, .high(level: 12), .high(level: 3)] {
                let encoder = PayloadEncoder(dictionary: dictionary, compression: compression)
                for data in Payloads.various + [bytes] where data.count < 1 << 17 {
                    let frame = try encoder.encode(data: data, metadata: []).frame
                    #expect(try decoder.decode(frame).data == data[...])
                }
            }
        }
    }
}
