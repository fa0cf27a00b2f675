import EventStore
import Testing

@Suite struct AppenderLimitsTests {
    @Test func `an appender has connections, and no more than a server could have`() {
        for (asked, given) in [(1, 1), (2, 2), (256, 256), (0, 1), (.min, 1), (257, 256), (1_000_000_000, 256)] {
            #expect(EventAppender.Limits(connections: asked).connections == given)
            var limits = EventAppender.Limits()
            limits.connections = asked
            #expect(limits.connections == given)
        }
    }
}
