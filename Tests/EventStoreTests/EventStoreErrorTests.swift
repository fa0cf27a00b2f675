import Testing

@testable import EventStore

@Suite struct EventStoreErrorTests {
    @Test func `description is the message for a person`() {
        let error = EventStoreError(.wrongExpectedVersion, "the disk is full: free some space")
        #expect(error.description == "the disk is full: free some space")
        #expect(error.code == .wrongExpectedVersion)
    }
}
