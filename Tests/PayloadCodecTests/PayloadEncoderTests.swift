import Testing

@testable import PayloadCodec

@Suite struct PayloadEncoderTests {
    static let dictionary = Result { () throws(PayloadCodecError) in
        try PayloadDictionary(id: 7, bytes: (0..<200).flatMap { Payloads.turn($0 * 31) })
    }

    @Test(arguments: [PayloadCompression.fast, .high(level: 9)], [false, true])
    func `a payload comes back as it was`(compression: PayloadCompression, hasDictionary: Bool) throws {
        let dictionary = try Self.dictionary.get()
        let decoder = PayloadDecoder(dictionaries: DictionaryStore([dictionary]))
        let encoder = PayloadEncoder(dictionary: hasDictionary ? dictionary : nil, compression: compression)
        for data in Payloads.various {
            for metadata in Payloads.variousMetadata {
                let (frame, encoding) = try encoder.encode(data: data, metadata: metadata)
                let header = try unsafe frame.withUnsafeBytes { try unsafe PayloadFrame(parsing: $0) }
                let decoded = try decoder.decode(frame)
                #expect(Array(decoded.data) == data)
                #expect(Array(decoded.metadata) == (metadata.isEmpty ? Array("{}".utf8) : metadata))
                #expect(header.encoding == encoding)
                #expect(frame.count <= data.count + metadata.count + PayloadFrame.headerLimit)
            }
        }
    }

    @Test func `a batch in one buffer is the frames one after the other`() throws {
        let encoder = PayloadEncoder(dictionary: try Self.dictionary.get())
        var batch: [UInt8] = []
        var single: [UInt8] = []
        for number in 0..<500 {
            try encoder.encode(data: Payloads.turn(number), metadata: [], into: &batch)
            single += try encoder.encode(data: Payloads.turn(number), metadata: []).frame
        }
        #expect(batch == single)
    }

    @Test func `an empty metadata object takes no bytes`() throws {
        let encoder = PayloadEncoder()
        let data = Payloads.turn(1)
        let absent = try encoder.encode(data: data, metadata: []).frame
        let empty = try encoder.encode(data: data, metadata: Array("{}".utf8)).frame
        #expect(absent == empty)
    }

    @Test func `what LZ4 does not shrink is stored as it is`() throws {
        let encoder = PayloadEncoder(dictionary: try Self.dictionary.get())
        let data = Payloads.noise(200)
        let (frame, encoding) = try encoder.encode(data: data, metadata: [])
        #expect(encoding == .identity)
        #expect(frame.suffix(200) == data[...])
        #expect(Array(frame.prefix(4)) == [0x10, 0, 0xC8, 0x01])
    }

    @Test func `the encoding names the dictionary that is needed`() throws {
        let data = [UInt8](repeating: 0x20, count: 500)
        #expect(try PayloadEncoder().encode(data: data, metadata: []).encoding == .lz4)
        let encoder = PayloadEncoder(dictionary: try Self.dictionary.get())
        #expect(try encoder.encode(data: data, metadata: []).encoding.rawValue == 7)
    }

    @Test func `more than a mebibyte is refused and leaves the buffer as it was`() throws {
        let encoder = PayloadEncoder()
        let large = [UInt8](repeating: 0x20, count: PayloadFrame.lengthLimit + 1)
        var buffer: [UInt8] = [1, 2, 3]
        for (data, metadata) in [(large, []), ([], large)] {
            let error = #expect(throws: PayloadCodecError.self) {
                try encoder.encode(data: data, metadata: metadata, into: &buffer)
            }
            #expect(error?.code == .tooLarge)
        }
        #expect(buffer == [1, 2, 3])
    }

    @Test func `a dictionary makes a small event less than half as large`() throws {
        let encoder = PayloadEncoder(dictionary: try Self.dictionary.get())
        let data = Payloads.turn(123_456)
        #expect(try encoder.encode(data: data, metadata: []).frame.count * 2 < data.count)
    }

    @Test func `frames do not depend on what was encoded before`() throws {
        let dictionary = try Self.dictionary.get()
        let used = PayloadEncoder(dictionary: dictionary)
        for data in Payloads.various { _ = try used.encode(data: data, metadata: []) }
        for number in 0..<100 {
            let fresh = PayloadEncoder(dictionary: dictionary)
            let expected = try fresh.encode(data: Payloads.turn(number), metadata: []).frame
            #expect(try used.encode(data: Payloads.turn(number), metadata: []).frame == expected)
        }
    }

    @Test func `many tasks share one encoder and one decoder`() async throws {
        let dictionary = try Self.dictionary.get()
        let encoder = PayloadEncoder(dictionary: dictionary)
        let decoder = PayloadDecoder(dictionaries: DictionaryStore([dictionary]))
        let right = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<64 {
                group.addTask { @concurrent in
                    var right = 0
                    for number in 0..<200 {
                        let data = Payloads.turn(task * 1000 + number)
                        let frame = try encoder.encode(data: data, metadata: Payloads.turn(number)).frame
                        let decoded = try decoder.decode(frame)
                        if decoded.data == data[...], decoded.metadata == Payloads.turn(number)[...] { right += 1 }
                        if number % 50 == 0 { await Task.yield() }
                    }
                    return right
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(right == 64 * 200)
    }
}
