import Glibc
import Synchronization
import UnixSignals

/// The command that this process runs, and what SIGINT and SIGTERM do to it.
///
/// By default they end the process, and the server goes on with what it was asked, locks and all. So work with a server
/// runs in a scope that handles them.
enum RunningCommand {
    private static let task = Mutex<Task<Void, any Error>?>(nil)

    /// Runs a command.
    ///
    /// - Throws: What `work` throws.
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
        try await hearingSignals { _ in
            task.withLock { $0 }?.cancel()
        } while: {
            try await body()
        }
    }

    /// How a part of the command ended.
    enum Ending<R> {
        case done(R)
        /// It was cancelled by this signal.
        case stopped(UnixSignal)
    }

    /// Runs a part of the command that SIGINT and SIGTERM cancel, and goes on after it. A second signal ends the
    /// process at once.
    ///
    /// - Throws: What the part throws, unless a signal cancelled it: whatever it throws then, the signal is the reason.
    static func untilSignal<R: Sendable>(
        _ work: @escaping @Sendable () async throws -> R
    ) async throws -> Ending<R> {
        let received = Mutex<UnixSignal?>(nil)
        let task = Task { try await work() }
        return try await hearingSignals { signal in
            received.withLock { $0 = signal }
            task.cancel()
        } while: {
            do {
                return .done(try await task.value)
            } catch {
                guard let signal = received.withLock({ $0 }) else { throw error }
                return .stopped(signal)
            }
        }
    }

    /// Runs a part of the command that handles SIGINT and SIGTERM. A second signal ends the process at once.
    ///
    /// - Parameters:
    ///   - stop: Called at the first signal, on any thread; must return soon, as the second is heard after that.
    ///   - body: The part.
    static func hearingSignals<R>(
        _ stop: @escaping @Sendable (UnixSignal) async -> Void,
        while body: () async throws -> R
    ) async throws -> R {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        // Not a child task: the first signal may cancel the whole command, and the second must still be heard.
        let listening = Task { await listen(to: signals, stop) }
        defer { listening.cancel() }
        return try await body()
    }

    private static func listen(to signals: UnixSignalsSequence, _ stop: @Sendable (UnixSignal) async -> Void) async {
        var isFirst = true
        for await signal in signals {
            // A second signal means not to wait for what cannot be cancelled.
            guard isFirst else { _exit(128 + signal.rawValue) }
            isFirst = false
            await stop(signal)
        }
    }
}
