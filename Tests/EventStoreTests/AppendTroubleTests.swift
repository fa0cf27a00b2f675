import Testing

@testable import EventStore

@Suite struct AppendTroubleTests {
    @Test func `pauses grow within bounds, and the log hears of it every few seconds`() {
        let start = ContinuousClock.now
        var trouble = AppendTrouble(since: start, patience: .seconds(30))
        var now = start
        var pauses: [Duration] = []
        var said = 0
        while true {
            let step = trouble.step(at: now)
            if step.isWorthSaying { said += 1 }
            guard let pause = step.pause else { break }
            pauses.append(pause)
            now += pause
        }
        #expect(now == start + .seconds(30))
        let first: [Duration] = [50, 100, 200, 250, 250].map { .milliseconds($0) }
        #expect(Array(pauses.prefix(5)) == first)
        #expect(pauses.allSatisfy { $0 <= .milliseconds(250) })
        #expect((5...7).contains(said))
    }

    @Test func `the first failure is said, and without patience nothing is tried again`() {
        let now = ContinuousClock.now
        var trouble = AppendTrouble(since: now, patience: .zero)
        #expect(trouble.step(at: now) == AppendTrouble.Step(pause: nil, isWorthSaying: true))
    }
}
