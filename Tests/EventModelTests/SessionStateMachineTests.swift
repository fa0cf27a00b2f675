import EventModel
import Testing

@Suite struct SessionStateMachineTests {
    /// The table of `events.md`, row by row, as text.
    static let table = """
        idle: listening processing error
        listening: processing idle error
        processing: speaking listening interrupted idle error
        speaking: listening interrupted idle processing error
        interrupted: listening processing idle error
        error: idle listening
        """

    static var pairs: Set<[String]> {
        Set(
            table.split(separator: "\n").flatMap { line in
                let words = line.split(whereSeparator: { ": ".contains($0) }).map(String.init)
                return words.dropFirst().map { [words[0], $0] }
            }
        )
    }

    @Test(arguments: SessionState.allCases, SessionState.allCases)
    func `the table of transitions is the contract's`(from: SessionState, to: SessionState) throws {
        let isAllowed = Self.pairs.contains([from.rawValue, to.rawValue])
        #expect(SessionStateMachine.allows(from: from, to: to) == isAllowed)

        var machine = SessionStateMachine(state: from)
        let isRegular = machine.record(from: from, to: to)
        #expect(isRegular == isAllowed)
        #expect(machine.state == to)
        #expect(machine.anomalies == (isAllowed ? 0 : 1))

        var producer = SessionStateMachine(state: from)
        if isAllowed {
            let event = try producer.change(to: to, reason: "because")
            #expect(producer.state == to)
            #expect(event.from == from && event.to == to)
        } else {
            let error = try #require(throws: EventModelError.self) { try producer.change(to: to) }
            #expect(error.code == .illegalTransition)
            #expect(producer.state == from)
            #expect(throws: Never.self) { try SessionStateChanged(from: from, to: to, allowingAnomaly: true) }
        }
    }

    @Test func `a session begins idle`() {
        #expect(SessionStateMachine().state == .idle)
    }

    @Test func `a change that does not begin at the state is an anomaly and is followed`() {
        var machine = SessionStateMachine()
        let isRegular = machine.record(from: .speaking, to: .listening)
        #expect(!isRegular)
        #expect(machine.anomalies == 1)
        #expect(machine.state == .listening)
    }
}
