/// Server trouble that an append waits out: how long to pause before each retry, when to log it, and when to give up.
///
/// Pauses grow, so that a server which comes back is not hit by everybody at once, but stay short, so that nobody waits
/// long once it is back. Logging every failure would bury everything else in the log.
struct AppendTrouble {
    /// What to do after a failure.
    struct Step: Equatable {
        /// How long to leave the server alone; `nil` if the patience is used up.
        let pause: Duration?
        /// Whether to log that there is trouble.
        let isWorthSaying: Bool
    }

    private static let longestPause = Duration.milliseconds(250)
    static let silence = Duration.seconds(5)

    private let end: ContinuousClock.Instant
    private var nextPause = Duration.milliseconds(50)
    private var silentUntil: ContinuousClock.Instant

    /// - Parameters:
    ///   - start: When the first attempt failed.
    ///   - patience: How long to keep trying.
    init(since start: ContinuousClock.Instant, patience: Duration) {
        end = start + patience
        silentUntil = start
    }

    /// Decides what to do after an attempt that failed at `now`.
    mutating func step(at now: ContinuousClock.Instant) -> Step {
        let isWorthSaying = now >= silentUntil
        if isWorthSaying { silentUntil = now + Self.silence }
        guard now < end else { return Step(pause: nil, isWorthSaying: isWorthSaying) }
        defer { nextPause = min(nextPause * 2, Self.longestPause) }
        return Step(pause: min(nextPause, now.duration(to: end)), isWorthSaying: isWorthSaying)
    }
}
