internal import Postgres

/// That a projection cannot be folded now, for which a worker leaves it alone for a while, so that the others go on.
struct Suspension {
    /// How long it is left alone before it is tried again, by itself.
    private static let pause = Duration.seconds(5)

    /// Why.
    private(set) var error: ProjectorError
    /// Since when it could not be folded.
    let since = ContinuousClock.now
    /// When to try it again.
    private(set) var next = ContinuousClock.now + pause
    private var trouble = RepeatedTrouble()

    init(_ error: ProjectorError) { self.error = error }

    /// Whether it is to be tried now.
    var isDue: Bool { next <= .now }

    /// Begins the next pause.
    mutating func prolong(_ error: ProjectorError) {
        self.error = error
        next = .now + Self.pause
    }

    /// Whether to say why.
    mutating func isWorthSaying() -> Bool { trouble.isWorthSaying(error) }
}
