/// Decides when to log trouble that recurs with each attempt: the first time, when the error changes, and once a
/// minute. Logging it each time would bury everything else.
struct RepeatedTrouble {
    private static let silence = Duration.seconds(60)

    private var said: (error: String, at: ContinuousClock.Instant)?

    /// Whether to log that an attempt has failed now.
    mutating func isWorthSaying(_ error: any Error, at now: ContinuousClock.Instant = .now) -> Bool {
        let text = "\(error)"
        if let said, said.error == text, now < said.at + Self.silence { return false }
        said = (text, now)
        return true
    }
}
