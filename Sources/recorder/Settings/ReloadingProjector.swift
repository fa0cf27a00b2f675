import Logging
import Postgres
import Projector
import Schema
import ServiceLifecycle
import UnixSignals

/// The projector daemon: begins anew when the set of projections changes, by SIGHUP or because a version was installed or
/// dropped.
struct ReloadingProjector: Service {
    let settings: Settings
    let options: ProjectorOptions
    let source: ProjectionSource

    /// How often to look which versions are installed.
    private static let interval = Duration.seconds(2)

    /// How long to wait after a beginning that failed.
    private static let pause = Duration.milliseconds(500)

    private enum Event { case ended, reload }

    func run() async throws {
        var hasConnected = false
        while true {
            do {
                let files = try await source.installed(settings)
                hasConnected = true
                if try await run(files) == .ended { return }
                settings.logger.info("reloading the projections")
            } catch let error as PostgresError
                where error.isPassing && (hasConnected || error.code != .connectionFailed)
            {
                // Cut off while it began. That nothing can be reached at all is for a person to hear at once.
                settings.logger.warning("the projector begins again", metadata: ["error": "\(error)"])
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    private func run(_ files: [ProjectionFiles]) async throws -> Event {
        // A sequence of signals has one iterator only.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let projector = try settings.projector(of: files, options)
        settings.logger.info("projecting \(files.map(\.title).joined(separator: ", "))")
        return try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask {
                try await projector.run()
                return .ended
            }
            group.addTask {
                for await _ in hangups where await canReload() { return .reload }
                return .ended
            }
            group.addTask { try await changed(from: files) }
            let first = try await group.next() ?? .ended
            // A projector that is told to stop finishes its batch; the others just end.
            projector.stop()
            if first == .reload { while try await group.next() == .reload {} }
            group.cancelAll()
            return first
        }
    }

    /// Whether there is something to begin anew with; a mistake in the folder is told, and what runs goes on.
    private func canReload() async -> Bool {
        do {
            _ = try await source.installed(settings)
            return true
        } catch {
            settings.logger.error(
                "the projections are not reloaded: the former ones go on",
                metadata: ["error": "\(error)"]
            )
            return false
        }
    }

    /// Waits until other versions are installed than these.
    private func changed(from files: [ProjectionFiles]) async throws -> Event {
        let known = Set(files.map(\.title))
        while true {
            try await Task.sleep(for: Self.interval)
            guard let now = try? await source.installedTitles(settings) else { continue }
            if now != known { return .reload }
        }
    }
}
