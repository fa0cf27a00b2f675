import Postgres
import Testing

@testable import Projector

@Suite struct ServerOutageTests {
    private let start = ContinuousClock.now
    private let away = PostgresError(.connectionLost, "the server is away")

    @Test func `whoever meets a server that is away, it is told of once a minute, and of other trouble each time`() {
        let outage = ServerOutage()
        let told = [(away, 0), (PostgresError(.connectionFailed, "refused"), 1), (away, 59), (away, 60), (away, 61)]
            .map { outage.isNews($0, at: start + .seconds($1)) }
        #expect(told == [true, false, false, true, false])
        let other = PostgresError(.misuse, "something else")
        #expect(outage.isNews(other, at: start + .seconds(62)) && outage.isNews(other, at: start + .seconds(63)))
    }

    @Test func `when the server answers again, it is told for how long it was away`() {
        let outage = ServerOutage()
        #expect(outage.end(at: start) == nil)
        for second in [0, 60] { _ = outage.isNews(away, at: start + .seconds(second)) }
        #expect(outage.end(at: start + .seconds(61)) == .seconds(61))
        #expect(outage.end(at: start + .seconds(62)) == nil)
        // One connection that breaks is no outage.
        #expect(outage.isNews(away, at: start + .seconds(70)))
        #expect(outage.end(at: start + .milliseconds(70_300)) == nil)
    }
}
