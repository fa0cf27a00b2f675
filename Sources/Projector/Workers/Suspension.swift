internal import Postgres

/// Why a projection cannot be folded now, and when a worker tries it again; until then the others go on without it.
struct Suspension {
    /// How long it is left alone before it is tried again, by itself.
    private static let pause = Duration.seconds(5)

    /// Why it cannot be folded.
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

    /// Whether to log why.
    mutating func isWorthSaying() -> Bool { trouble.isWorthSaying(error) }
}
