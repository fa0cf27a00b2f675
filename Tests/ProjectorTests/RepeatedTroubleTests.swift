import Testing

@testable import Projector

@Suite struct RepeatedTroubleTests {
    private struct Trouble: Error { let number: Int }

    @Test func `the same trouble is told of once a minute, another at once`() {
        var trouble = RepeatedTrouble()
        let start = ContinuousClock.now
        let told = [(1, 0), (1, 1), (1, 59), (2, 59), (2, 60), (1, 61), (1, 120), (1, 121)].map { number, second in
            trouble.isWorthSaying(Trouble(number: number), at: start + .seconds(second))
        }
        #expect(told == [true, false, false, true, false, true, false, true])
    }
}
