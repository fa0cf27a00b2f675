import Logging
import Postgres

extension Settings {
    /// How long a server that starts is waited for: as long as an append waits.
    private static let patience = Duration.seconds(30)
    /// How long to wait between two attempts.
    private static let pause = Duration.milliseconds(250)

    /// Runs `body`, and again while the server answers that it takes no connections now, as one does that starts or
    /// recovers.
    ///
    /// If nothing answers at all, or somebody has to change something first, it fails at once.
    ///
    /// - Throws: What `body` throws, after half a minute at the latest; `CancellationError`.
    func waitingForServer<R>(_ body: () async throws -> R) async throws -> R {
        let end = ContinuousClock.now + Self.patience
        var isSaid = false
        while true {
            do {
                return try await body()
            } catch let error as PostgresError where error.isRefusedForNow && ContinuousClock.now < end {
                if !isSaid { logger.warning("waiting for the server", metadata: ["error": "\(error)"]) }
                isSaid = true
                try await Task.sleep(for: Self.pause)
            }
        }
    }
}

extension PostgresError {
    /// Whether a server answered that it takes no connections, and may do so later although nobody does anything.
    fileprivate var isRefusedForNow: Bool { code == .connectionFailed && !isUnanswered && !isLasting }
}
