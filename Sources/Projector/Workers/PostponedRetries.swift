internal import EventModel

/// Decides when to repeat retries of stopped streams that failed for a temporary reason.
struct PostponedRetries {
    private struct Key: Hashable {
        let shard: ProjectionShard
        let stream: StreamID

        init(_ stopped: QuarantinedStream) { (shard, stream) = (stopped.key, stopped.stream) }
    }

    /// How long a retry is put off.
    static let pause = Duration.seconds(5)

    private var retries: [Key: (since: ContinuousClock.Instant, next: ContinuousClock.Instant)] = [:]

    /// Puts a stream's retry off.
    mutating func postpone(_ stopped: QuarantinedStream, at now: ContinuousClock.Instant = .now) {
        let key = Key(stopped)
        retries[key] = (retries[key]?.since ?? now, now + Self.pause)
    }

    /// Whether a stream is to be tried now.
    func isDue(_ stopped: QuarantinedStream, at now: ContinuousClock.Instant = .now) -> Bool {
        retries[Key(stopped)].map { $0.next <= now } ?? true
    }

    /// Forgets all but the retries that are still wanted.
    mutating func keep(_ wanted: [QuarantinedStream]) {
        guard !retries.isEmpty else { return }
        let wanted = Set(wanted.map(Key.init))
        retries = retries.filter { wanted.contains($0.key) }
    }

    /// Whether any retry was first put off less than `patience` ago.
    func hasAny(within patience: Duration, at now: ContinuousClock.Instant = .now) -> Bool {
        retries.values.contains { now < $0.since + patience }
    }
}
