/// Trouble that comes again with each attempt: when to say so. The first time, when it is another, and once a minute;
/// each time would bury everything else in the log.
struct RepeatedTrouble {
    private static let silence = Duration.seconds(60)

    private var said: (error: String, at: ContinuousClock.Instant)?

    /// Whether to say that an attempt has failed now.
    mutating func isWorthSaying(_ error: any Error, at now: ContinuousClock.Instant = .now) -> Bool {
        let text = "\(error)"
        if let said, said.error == text, now < said.at + Self.silence { return false }
        said = (text, now)
        return true
    }
}
