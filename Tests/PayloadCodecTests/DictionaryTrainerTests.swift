import Testing

@testable import PayloadCodec

@Suite struct DictionaryTrainerTests {
    @Test func `training again gives the same bytes`() throws {
        let samples = (0..<2000).map { DictionarySample(payload: Payloads.turn($0)) }
        let first = try DictionaryTrainer(size: 8192).train(samples)
        let second = try DictionaryTrainer(size: 8192).train(samples)
        #expect(first == second)
        #expect(first.bytes.count <= 8192)
        #expect(first.trainedOn == 1800)
        #expect(first.heldOut == 200)
    }

    @Test func `its ratio on events that it never saw is below a half`() throws {
        let trained = try DictionaryTrainer().train((0..<2000).map { DictionarySample(payload: Payloads.turn($0)) })
        #expect(trained.heldOutRatio < 0.5)
        #expect(trained.heldOutRatio < trained.heldOutRatioWithoutDictionary)
        let dictionary = try PayloadDictionary(id: 1, bytes: trained.bytes)
        let encoder = PayloadEncoder(dictionary: dictionary)
        let decoder = PayloadDecoder(dictionaries: DictionaryStore([dictionary]))
        for number in 5000..<5100 {
            let data = Payloads.turn(number)
            let frame = try encoder.encode(data: data, metadata: []).frame
            #expect(frame.count * 2 < data.count)
            #expect(try decoder.decode(frame).data == data[...])
        }
    }

    @Test func `too few samples, or nothing in common, is an error`() throws {
        let few = (0..<19).map(Payloads.turn)
        let strangers = (1...200).map { Payloads.noise(100, seed: UInt64($0)) }
        let tiny = [[UInt8]](repeating: Array("{}".utf8), count: 100)
        for samples in [[], few, strangers, tiny] {
            let error = #expect(throws: PayloadCodecError.self) {
                try DictionaryTrainer().train(samples.map { DictionarySample(payload: $0) })
            }
            #expect(error?.code == .tooFewSamples)
        }
    }
}
