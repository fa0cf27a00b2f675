import Logging
import Postgres
import Projector
import Schema
import ServiceLifecycle
import UnixSignals

/// The projector daemon: restarts when the set of projections changes, by SIGHUP or because a version was installed or
/// dropped.
struct ReloadingProjector: Service {
    let settings: Settings
    let options: ProjectorOptions
    let source: ProjectionSource
    /// The process's SIGHUPs. One that comes while another is being handled is handled after it.
    let hangups: UnixSignalsSequence

    /// How often to check which versions are installed.
    private static let interval = Duration.seconds(2)

    /// How long the batch under way and giving the shards back may take at the end before they are cancelled. With what
    /// cancelling takes if the server says nothing, that makes about ten seconds.
    static let patience = Duration.seconds(7)

    /// How long the end may take before the log says what it waits for.
    private static let silence = Duration.seconds(2)

    /// How long to wait after a failed start.
    private static let pause = Duration.milliseconds(500)

    private enum Event {
        /// A SIGHUP came.
        case hangup
        /// These versions are installed, by their titles.
        case installed(Set<String>)
        /// The projector ended, by itself or because it was told to.
        case ended(Result<Void, any Error>)
    }

    func run() async throws {
        let (events, tell) = AsyncStream.makeStream(of: Event.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { for await _ in hangups { tell.yield(.hangup) } }
            group.addTask { try await sayWhatEndingWaitsFor() }
            guard let first = try await beginning() else { return }
            group.addTask { try await cancelWhenGracefulShutdown { try await look(tell) } }
            var projector = try begin(first, in: &group, tell)
            var known = first
            // Set from when the projector is told to stop until it restarts.
            var isReloading = false
            var refused: Set<String>?
            for await event in events {
                switch event {
                case .hangup:
                    guard let files = await reloaded(makingNew: true) else { continue }
                    (known, isReloading) = (files, true)
                    projector.stop()
                case .installed(let titles):
                    guard titles != Self.titles(known), titles != refused else { continue }
                    guard let files = await reloaded(makingNew: false) else {
                        refused = titles
                        continue
                    }
                    // What was seen before a reload may be reported after it.
                    guard Self.titles(files) != Self.titles(known) else { continue }
                    (known, isReloading, refused) = (files, true, nil)
                    projector.stop()
                case .ended(let result):
                    do {
                        try result.get()
                        guard isReloading, !Task.isShuttingDownGracefully else { return }
                        settings.logger.info("reloading the projections")
                    } catch let error as PostgresError where error.isPassing {
                        guard !Task.isShuttingDownGracefully else { return }
                        try await pause(after: error)
                    }
                    isReloading = false
                    projector = try begin(known, in: &group, tell)
                }
            }
        }
    }

    /// Tells whoever asked the daemon to end, once, why it has not ended yet.
    private func sayWhatEndingWaitsFor() async throws {
        try await gracefulShutdown()
        try await Task.sleep(for: Self.silence)
        settings.logger.warning(
            """
            the projector still waits for the server to end the batch under way and to take its shards back: if it stays \
            silent, both are given up within seconds and the leases run out, which loses nothing. Another signal ends \
            the process at once
            """
        )
    }

    /// The projections to start with; `nil` if the daemon was asked to end before it had them.
    private func beginning() async throws -> [ProjectionFiles]? {
        while true {
            do {
                return try await cancelWhenGracefulShutdown {
                    try await settings.waitingForServer { try await source.installed(settings) }
                }
            } catch is CancellationError {
                return nil
            } catch let error as PostgresError where error.isPassing && error.code != .connectionFailed {
                // Cut off while it started, so it tries again. If the database cannot be reached at all, or takes no
                // connections for long, it fails, so that a person hears of it.
                try await pause(after: error)
            }
        }
    }

    private func pause(after error: PostgresError) async throws {
        settings.logger.warning("the projector begins again", metadata: ["error": "\(error)"])
        try await Task.sleep(for: Self.pause)
    }

    private func begin(
        _ files: [ProjectionFiles],
        in group: inout ThrowingTaskGroup<Void, any Error>,
        _ tell: AsyncStream<Event>.Continuation
    ) throws -> Projector {
        let projector = try settings.projector(of: files, options)
        settings.logger.info("projecting \(files.map(\.title).joined(separator: ", "))")
        group.addTask {
            do {
                try await projector.run()
                tell.yield(.ended(.success(())))
            } catch {
                tell.yield(.ended(.failure(error)))
            }
        }
        return projector
    }

    /// The projections to restart with; `nil` if they cannot be loaded: the error is logged, and the running ones go
    /// on.
    private func reloaded(makingNew: Bool) async -> [ProjectionFiles]? {
        do {
            return try await cancelWhenGracefulShutdown { try await source.installed(settings, makingNew: makingNew) }
        } catch is CancellationError {
            return nil
        } catch {
            settings.logger.error(
                "the projections are not reloaded: the former ones go on",
                metadata: ["error": "\(error)"]
            )
            return nil
        }
    }

    /// Reports again and again which versions are installed. What else the folder holds is left for SIGHUP.
    private func look(_ tell: AsyncStream<Event>.Continuation) async throws {
        while true {
            try await Task.sleep(for: Self.interval)
            if let titles = try? await source.installedTitles(settings) { tell.yield(.installed(titles)) }
        }
    }

    private static func titles(_ files: [ProjectionFiles]) -> Set<String> { Set(files.map(\.title)) }
}
