import Testing

@testable import ReadModel

@Suite struct ReadModelErrorTests {
    @Test func `description is the message for a person`() {
        let error = ReadModelError(.notFound, "the disk is full: free some space")
        #expect(error.description == "the disk is full: free some space")
        #expect(error.code == .notFound)
    }
}
