import Testing

@testable import EventModel

@Suite struct EventModelErrorTests {
    @Test func `message names line, field and reason`() {
        let error = EventModelError(.invalidField, field: "data", "it is not a JSON object").at(line: 7)
        #expect(error.message == "line 7: data: it is not a JSON object")
        #expect(error.description == error.message)
        #expect(error.code == .invalidField)
    }

    @Test func `message leaves out what is not known`() {
        #expect(EventModelError(.notJSON, "not JSON").message == "not JSON")
        #expect(EventModelError(.notJSON, "not JSON").of(field: "id").message == "id: not JSON")
    }
}
