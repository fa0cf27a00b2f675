import Testing

@testable import Schema

@Suite struct SchemaErrorTests {
    @Test func `description is the message for a person`() {
        let error = SchemaError(.changedFile, "the disk is full: free some space")
        #expect(error.description == "the disk is full: free some space")
        #expect(error.code == .changedFile)
    }
}
