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

    private enum Event {
        case ended
        /// Begin anew with these.
        case reload([ProjectionFiles])
    }

    func run() async throws {
        var files: [ProjectionFiles]?
        while true {
            do {
                let now: [ProjectionFiles]
                if let files { now = files } else { now = try await source.installed(settings) }
                files = now
                guard case .reload(let next) = try await run(now) else { return }
                files = next
                settings.logger.info("reloading the projections")
            } catch let error as PostgresError
                where error.isPassing && (files != nil || error.code != .connectionFailed)
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
                for await _ in hangups {
                    if let files = await reloaded(makingNew: true) { return .reload(files) }
                }
                return .ended
            }
            group.addTask { try await changed(from: files) }
            let first = try await group.next() ?? .ended
            // A projector that is told to stop finishes its batch; the others just end.
            projector.stop()
            if case .reload = first { while case .reload = try await group.next() {} }
            group.cancelAll()
            return first
        }
    }

    /// What to begin anew with; `nil` if there is a mistake in the folder: it is told, and what runs goes on.
    private func reloaded(makingNew: Bool) async -> [ProjectionFiles]? {
        do {
            return try await source.installed(settings, makingNew: makingNew)
        } catch {
            settings.logger.error(
                "the projections are not reloaded: the former ones go on",
                metadata: ["error": "\(error)"]
            )
            return nil
        }
    }

    /// Waits until other versions are installed than these. What the folder holds besides is left for SIGHUP.
    private func changed(from files: [ProjectionFiles]) async throws -> Event {
        let known = Set(files.map(\.title))
        var refused: Set<String>?
        while true {
            try await Task.sleep(for: Self.interval)
            guard let now = try? await source.installedTitles(settings), now != known, now != refused else { continue }
            if let files = await reloaded(makingNew: false) { return .reload(files) }
            refused = now
        }
    }
}
