import ArgumentParser
import EventModel
import EventStore
import ReadModel

/// Reads a session from the log and plays it.
struct SessionPlayer: Sendable {
    /// The session.
    let session: StreamID
    /// What tokens cost, for calls whose cost was not recorded.
    let prices: [ModelPrice]
    /// The log.
    let store: PostgresEventStore

    private static let pageSize = 500

    /// Refuses a speed at which nothing can be played.
    static func check(speed: Double) throws {
        guard speed == 0 || (0.001...1_000_000).contains(speed) else {
            throw ValidationError("--speed is 0, which does not wait, or 0.001 to 1,000,000.")
        }
    }

    /// Plays the whole session on standard output. Times count from its earliest event.
    ///
    /// - Parameters:
    ///   - speed: How many times as fast as it was; 0 does not wait.
    ///   - json: Whether to print each frame as JSON.
    /// - Throws: ``CommandError`` with `.notFound`; `EventStoreError`; `CancellationError`.
    func play(speed: Double, json: Bool) async throws {
        // The first event of a stream need not be the earliest.
        var times: [Timestamp] = []
        try await forEachEvent { event in
            times.append(event.occurredAt)
            return true
        }
        let schedule = ReplaySchedule(times)
        var replay = SessionReplay(session: session, prices: prices, begin: schedule.begin)
        var played = 0
        let clock = ContinuousClock()
        let start = clock.now
        try await forEachEvent { event in
            let frame = replay.apply(event)
            defer { played += 1 }
            if speed > 0 {
                let due = start + (schedule.offset(at: played) ?? frame.offset) / speed
                if clock.now < due {
                    try StandardOutput.shared.flush()
                    try await clock.sleep(until: due)
                }
            }
            if json {
                JSONLine.print { ReplayText.write(frame, to: &$0) }
            } else {
                ReplayText.print(frame)
            }
            return true
        }
        try StandardOutput.shared.flush()
    }

    /// The session's state at a point.
    ///
    /// - Throws: ``CommandError`` with `.notFound`; `EventStoreError`; `CancellationError`.
    func snapshot(until end: SessionReplay.End) async throws -> SessionSnapshot {
        var replay = SessionReplay(session: session, prices: prices)
        try await forEachEvent { event in
            guard end.includes(event) else { return false }
            _ = replay.apply(event)
            return true
        }
        return replay.snapshot
    }

    /// Reads the events in order, a page at a time, until `body` returns `false`.
    private func forEachEvent(_ body: (RecordedEvent) async throws -> Bool) async throws {
        var next = 1
        while true {
            let page = try await store.read(session, from: next, limit: Self.pageSize)
            guard let last = page.last else {
                guard next == 1 else { return }
                throw CommandError(.notFound, "session \(session) holds no event: check its id")
            }
            for event in page {
                guard try await body(event) else { return }
            }
            next = last.version + 1
        }
    }
}
