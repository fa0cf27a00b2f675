import Testing

@testable import EventModel

@Suite struct EventModelErrorTests {
    @Test func `description is the message for a person`() {
        let error = EventModelError(.invalidField, "the disk is full: free some space")
        #expect(error.description == "the disk is full: free some space")
        #expect(error.code == .invalidField)
    }
}
