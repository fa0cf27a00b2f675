import Testing

@testable import PayloadCodec

@Suite struct PayloadEncoderTests {
    @Test func `a payload comes back as it was, with and without a dictionary`() throws {
        let dictionary = try PayloadDictionary(id: 7, bytes: Array(#"{"turnId":"x","turnIndex":1,"llmProvider":"#.utf8))
        let decoder = PayloadDecoder(dictionaries: DictionaryStore([dictionary]))
        for compression in [PayloadCompression.fast, .high(level: 9)] {
            for known in [nil, dictionary] {
                let encoder = PayloadEncoder(dictionary: known, compression: compression)
                for data in Payloads.various {
                    for metadata in [[], Array("{}".utf8), Array(#"{"actor":"someone","traceId":"1"}"#.utf8)] {
                        let (frame, _) = try encoder.encode(data: data, metadata: metadata)
                        let decoded = try decoder.decode(frame)
                        #expect(Array(decoded.data) == data)
                        #expect(Array(decoded.metadata) == (metadata.isEmpty ? Array("{}".utf8) : metadata))
                    }
                }
            }
        }
    }
}
