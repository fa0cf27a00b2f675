import Glibc
import Synchronization
import UnixSignals

/// The command that this process runs, and what SIGINT and SIGTERM do to it.
///
/// Without further ado they end the process, and the server goes on with what it was asked, locks and all. Whoever works with a
/// server does so in a scope that hears them.
enum RunningCommand {
    private static let task = Mutex<Task<Void, any Error>?>(nil)

    /// Runs a command.
    ///
    /// - Throws: What it throws.
    static func run(_ work: sending @escaping () async throws -> Void) async throws {
        let task = Task { try await work() }
        Self.task.withLock { $0 = task }
        try await task.value
    }

    /// Runs a part of the command that SIGINT and SIGTERM cancel: statements under way are cancelled at the server.
    ///
    /// The whole command is cancelled with it, which ends it with status 1. A second signal ends the process at once.
    ///
    /// - Throws: What the part throws; `CancellationError` after a signal.
    static func cancelledBySignals<R>(_ body: () async throws -> R) async throws -> R {
        try await hearingSignals {
            task.withLock { $0 }?.cancel()
        } while: {
            try await body()
        }
    }

    /// Runs a part of the command that is told of SIGINT and SIGTERM. A second signal ends the process at once.
    ///
    /// - Parameters:
    ///   - stop: Called at the first signal, on any thread.
    ///   - body: The part.
    static func hearingSignals<R>(
        _ stop: @escaping @Sendable () -> Void,
        while body: () async throws -> R
    ) async throws -> R {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        async let _ = listen(to: signals, stop)
        return try await body()
    }

    private static func listen(to signals: UnixSignalsSequence, _ stop: @Sendable () -> Void) async {
        var isFirst = true
        for await signal in signals {
            // Whoever asks twice does not want to wait for what cannot be cancelled.
            guard isFirst else { _exit(128 + signal.rawValue) }
            isFirst = false
            stop()
        }
    }
}
