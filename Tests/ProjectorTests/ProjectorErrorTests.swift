import Testing

@testable import Projector

@Suite struct ProjectorErrorTests {
    @Test func `description is the message for a person`() {
        let error = ProjectorError(.invalidProjection, "the disk is full: free some space")
        #expect(error.description == "the disk is full: free some space")
        #expect(error.code == .invalidProjection)
    }
}
