import Testing

@testable import PayloadCodec

@Suite struct PayloadCodecErrorTests {
    @Test func `description is the message for a person`() {
        let error = PayloadCodecError(.corrupt, "the disk is full: free some space")
        #expect(error.description == "the disk is full: free some space")
        #expect(error.code == .corrupt)
    }
}
