import Testing

@testable import Postgres

/// The pool's rules, without a server: connections are numbers, waiters are names.
@Suite struct PoolStateTests {
    private typealias State = PoolState<Int, String>

    private let start = ContinuousClock.now

    private func state(size: Int = 2) -> State {
        State(
            limits: PostgresPool.Limits(
                size: size,
                acquireTimeout: .seconds(10),
                idleTimeout: .seconds(600),
                lifetime: .seconds(3600)
            )
        )
    }

    /// What was decided, in words.
    private func words(_ acquisition: State.Acquisition) -> String {
        switch acquisition {
        case .use(let connection, _): "use \(connection)"
        case .replace(let connection): "replace \(connection)"
        case .open: "open"
        case .wait: "wait"
        case .closed: "closed"
        }
    }

    private func words(_ handover: State.Handover) -> String {
        switch handover {
        case .wake(let waiter, let connection, _): "wake \(waiter) with \(connection)"
        case .wakeToOpen(let waiter): "wake \(waiter) to open"
        case .wakeToReplace(let waiter, let connection): "wake \(waiter) to replace \(connection)"
        case .refuse(let waiter): "refuse \(waiter)"
        case .close(let connection): "close \(connection)"
        case .keep: "keep"
        }
    }

    @Test func `connections are opened up to the size, then tasks wait`() {
        var state = state()
        #expect((0..<4).map { _ in words(state.acquire(now: start)) } == ["open", "open", "wait", "wait"])
        #expect(state.size == 2 && state.inUse == 2)
    }

    @Test func `a connection that comes back is used again, the last one first`() {
        var state = state()
        _ = state.acquire(now: start)
        _ = state.acquire(now: start)
        #expect(words(state.release(1, opened: start, now: start)) == "keep")
        #expect(words(state.release(2, opened: start, now: start)) == "keep")
        #expect(state.size == 2 && state.inUse == 0)
        #expect(words(state.acquire(now: start)) == "use 2")
    }

    @Test func `waiters are served in the order in which they came, and newcomers wait behind them`() {
        var state = state(size: 1)
        _ = state.acquire(now: start)
        for name in ["a", "b"] {
            #expect(words(state.acquire(now: start)) == "wait")
            #expect(words(state.enqueue(name, id: state.newID(), now: start)) == "keep")
        }
        #expect(words(state.release(1, opened: start, now: start)) == "wake a with 1")
        #expect(words(state.acquire(now: start)) == "wait")
        #expect(words(state.release(1, opened: start, now: start)) == "wake b with 1")
        #expect(words(state.release(1, opened: start, now: start)) == "keep")
        #expect(state.waiterCount == 0)
    }

    @Test func `a connection that came back between asking and queueing is not missed`() {
        var state = state(size: 1)
        _ = state.acquire(now: start)
        #expect(words(state.acquire(now: start)) == "wait")
        _ = state.release(1, opened: start, now: start)
        #expect(words(state.enqueue("a", id: state.newID(), now: start)) == "wake a with 1")
        #expect(state.inUse == 1)
    }

    @Test func `a place that became free between asking and queueing is not missed`() {
        var state = state(size: 1)
        _ = state.acquire(now: start)
        #expect(words(state.acquire(now: start)) == "wait")
        #expect(words(state.lose()) == "keep")
        #expect(words(state.enqueue("a", id: state.newID(), now: start)) == "wake a to open")
        #expect(state.size == 1)
    }

    @Test func `a broken connection's place goes to the next waiter`() {
        var state = state(size: 1)
        _ = state.acquire(now: start)
        _ = state.enqueue("a", id: state.newID(), now: start)
        #expect(words(state.lose()) == "wake a to open")
        #expect(state.size == 1)
        #expect(words(state.lose()) == "keep")
        #expect(state.size == 0)
    }

    @Test func `a task that gave up is not served`() {
        var state = state(size: 1)
        _ = state.acquire(now: start)
        let id = state.newID()
        _ = state.enqueue("a", id: id, now: start)
        _ = state.enqueue("b", id: state.newID(), now: start)
        #expect(state.remove(id: id) == "a")
        #expect(state.remove(id: id) == nil)
        #expect(words(state.release(1, opened: start, now: start)) == "wake b with 1")
    }

    @Test func `who waited too long is swept, the others stay in their order`() {
        var state = state(size: 1)
        _ = state.acquire(now: start)
        _ = state.enqueue("a", id: state.newID(), now: start)
        _ = state.enqueue("b", id: state.newID(), now: start + .seconds(1))
        #expect(state.sweep(now: start + .seconds(9)).late.isEmpty)
        #expect(state.sweep(now: start + .seconds(10)).late == ["a"])
        #expect(words(state.release(1, opened: start, now: start)) == "wake b with 1")
    }

    @Test func `connections that idled too long or are too old are swept`() {
        var state = state(size: 3)
        for _ in 1...3 { _ = state.acquire(now: start) }
        _ = state.release(1, opened: start, now: start)
        _ = state.release(2, opened: start, now: start + .seconds(500))
        _ = state.release(3, opened: start - .seconds(3200), now: start + .seconds(390))
        #expect(state.sweep(now: start + .seconds(300)).stale.isEmpty)
        #expect(state.sweep(now: start + .seconds(600)).stale == [1, 3])
        #expect(state.size == 1)
    }

    @Test func `a connection that is too old is replaced, under load as well`() {
        var state = state(size: 1)
        _ = state.acquire(now: start)
        let old = start + .seconds(3600)
        _ = state.enqueue("a", id: state.newID(), now: old)
        #expect(words(state.release(1, opened: start, now: old)) == "wake a to replace 1")
        #expect(state.size == 1)
        #expect(words(state.release(2, opened: old, now: old)) == "keep")
        #expect(words(state.acquire(now: old + .seconds(3600))) == "replace 2")
        #expect(words(state.release(3, opened: start, now: old)) == "close 3")
        #expect(state.size == 0)
    }

    @Test func `a closed pool refuses everybody and keeps nothing`() {
        var state = state()
        _ = state.acquire(now: start)
        _ = state.acquire(now: start)
        _ = state.release(1, opened: start, now: start)
        let (none, idle) = state.close()
        #expect(none.isEmpty && idle == [1])
        #expect(words(state.acquire(now: start)) == "closed")
        #expect(words(state.enqueue("late", id: state.newID(), now: start)) == "refuse late")
        #expect(words(state.release(2, opened: start, now: start)) == "close 2")
        #expect(state.size == 0 && state.waiterCount == 0)
    }

    @Test func `closing wakes those who wait`() {
        var state = state(size: 1)
        _ = state.acquire(now: start)
        _ = state.enqueue("a", id: state.newID(), now: start)
        #expect(state.close().waiters == ["a"])
        #expect(words(state.lose()) == "keep")
        #expect(state.size == 0)
    }

    @Test func `whatever happens, there are never more connections than the size, and nobody waits beside a free one`()
    {
        var generator = SystemRandomNumberGenerator()
        var state = state(size: 3)
        var now = start
        // Connections in use, with the moment they were opened.
        var used: [ContinuousClock.Instant] = []
        var opened = 0
        func count(_ handover: State.Handover) {
            switch handover {
            case .wake(_, _, let moment): used.append(moment)
            case .wakeToOpen, .wakeToReplace: used.append(now)
            case .refuse, .close, .keep: break
            }
        }
        for _ in 0..<20_000 {
            now += .seconds(Int.random(in: 0...3, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1, 2:
                switch state.acquire(now: now) {
                case .use(_, let moment): used.append(moment)
                case .replace, .open: used.append(now)
                case .wait: count(state.enqueue("w", id: state.newID(), now: now))
                case .closed: Issue.record("nobody closed the pool")
                }
            case 3 where !used.isEmpty:
                opened += 1
                let moment = used.remove(at: Int.random(in: 0..<used.count, using: &generator))
                count(state.release(opened, opened: moment, now: now))
            case 4 where !used.isEmpty:
                used.removeLast()
                count(state.lose())
            default: _ = state.sweep(now: now)
            }
            #expect(state.size <= 3)
            #expect(state.inUse == used.count)
            if state.waiterCount > 0 { #expect(state.inUse == 3) }
        }
    }
}
