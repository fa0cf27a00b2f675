import Testing

@testable import Operations

@Suite struct OperationsErrorTests {
    @Test func `description is the message for a person`() {
        let error = OperationsError(.alreadyRunning, "the disk is full: free some space")
        #expect(error.description == "the disk is full: free some space")
        #expect(error.code == .alreadyRunning)
    }
}
