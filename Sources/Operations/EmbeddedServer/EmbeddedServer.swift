import Dispatch
import Foundation
import Glibc
package import Logging
import Synchronization

/// A real PostgreSQL server that this process starts, owns and stops.
///
/// It listens on a Unix socket only, lives in one directory and is found again there by the next start. One process at
/// a time may run it. It does not outlive this process: an orderly end stops it (`exit` too), and when the process is
/// killed, the kernel tells the server to stop (`PR_SET_PDEATHSIG`); if even that fails, the next start stops what it
/// finds.
package final class EmbeddedServer: Sendable {
    /// How the server is set up.
    package let configuration: EmbeddedServerConfiguration

    private let directory: ServerDirectory
    private let installation: PostgresInstallation
    private let logger: Logger
    /// Starting and stopping block, so they run here, one at a time.
    private let queue = DispatchQueue(label: "recorder.embedded-server")
    private let state: Mutex<State>

    private struct State {
        var child: ChildProcess?
        var socketDirectory = ""
        /// Whether the directory was given back: somebody else may run a server there.
        var isReleased = false
    }

    private init(
        configuration: EmbeddedServerConfiguration,
        directory: ServerDirectory,
        installation: PostgresInstallation,
        logger: Logger
    ) {
        self.configuration = configuration
        self.directory = directory
        self.installation = installation
        self.logger = logger
        self.state = Mutex(State())
    }

    /// Starts a server, making its data first if there is none, and waits until it accepts connections.
    ///
    /// - Throws: ``OperationsError`` with code `.alreadyRunning` if another process runs it, `.notInstalled` if there
    ///   is no PostgreSQL 15 or later, `.invalidDirectory` if the directory cannot be used, `.startFailed` with the end
    ///   of the server's log; `CancellationError` if the task was cancelled while the server started (which is then
    ///   stopped).
    package static func start(
        _ configuration: EmbeddedServerConfiguration = EmbeddedServerConfiguration(),
        logger: Logger
    ) async throws -> EmbeddedServer {
        let server = try await onThread {
            let directory = try ServerDirectory.prepare(configuration.directory, logger: logger)
            let cluster = ServerCluster(directory: directory, configuration: configuration, logger: logger)
            let installation: PostgresInstallation
            do {
                installation = try PostgresInstallation.find(version: cluster.version)
                if cluster.version == nil { try cluster.make(installation) }
                try directory.linkData()
            } catch {
                if configuration.isTemporary { directory.remove() } else { directory.abandonData() }
                throw error
            }
            let server = EmbeddedServer(
                configuration: configuration,
                directory: directory,
                installation: installation,
                logger: logger
            )
            try LeftoverProcesses.stop(data: directory.data)
            do {
                try server.launch()
            } catch {
                server.release()
                throw error
            }
            return server
        }
        do {
            try Task.checkCancellation()
        } catch {
            await server.stop()
            throw error
        }
        return server
    }

    /// Runs work on a server that is stopped when the work ends, fails or is cancelled.
    ///
    /// - Throws: What ``start(_:logger:)`` throws, or what the work throws.
    package static func withServer<R>(
        _ configuration: EmbeddedServerConfiguration = EmbeddedServerConfiguration(),
        logger: Logger,
        _ body: (EmbeddedServer) async throws -> R
    ) async throws -> R {
        let server = try await start(configuration, logger: logger)
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// A libpq connection string for one of its databases.
    ///
    /// - Parameter database: The database's name; nil is the one of the configuration.
    package func url(database: String? = nil) -> String {
        configuration.url(socketDirectory: state.withLock { $0.socketDirectory }, database: database)
    }

    /// The path of the file that holds what the server prints.
    package var logPath: String { directory.log }

    /// The server's process id; nil while it does not run.
    package var processIdentifier: Int32? {
        state.withLock { $0.child }.flatMap { $0.isRunning ? $0.identifier : nil }
    }

    /// Waits until the server ends, for whatever reason; returns at once when it does not run.
    ///
    /// - Throws: `CancellationError` if the task was cancelled while waiting.
    package func waitUntilEnded() async throws {
        guard let child = state.withLock({ $0.child }) else { return }
        let (ends, continuation) = AsyncStream<Void>.makeStream()
        child.whenEnded { continuation.finish() }
        for await _ in ends {}
        try Task.checkCancellation()
    }

    /// Stops the server cleanly (a fast shutdown: sessions are ended, nothing is lost) and releases its directory.
    ///
    /// Does nothing when it is stopped already. The server object cannot be started again.
    package func stop() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.halt(SIGINT)
                continuation.resume()
            }
        }
        release()
    }

    /// Stops the server as a crash would (`pg_ctl stop -m immediate`): the next start has to recover.
    package func stopImmediately() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.halt(SIGQUIT)
                continuation.resume()
            }
        }
    }

    /// Starts the server again after it ended, or was stopped immediately; stops it cleanly first if it runs. The
    /// connection string stays the same.
    ///
    /// - Throws: ``OperationsError`` with code `.startFailed`.
    package func restart() async throws {
        try await Self.onThread(queue) {
            self.halt(SIGINT)
            try LeftoverProcesses.stop(data: self.directory.data)
            try self.launch()
        }
    }

    /// Stops the server while the process ends. Blocks.
    func stopAtExit() {
        halt(configuration.durability == .durable ? SIGINT : SIGQUIT)
        release()
    }

    /// Gives back what a stopped server holds, once.
    private func release() {
        EmbeddedServerExit.forget(self)
        let isHeld = state.withLock { state in
            defer { state.isReleased = true }
            return !state.isReleased
        }
        guard isHeld else { return }
        directory.removeSocketDirectory()
        if configuration.isTemporary { directory.remove() }
        directory.lock.release()
    }

    /// Removes the directory of a server that nobody runs, after stopping what an earlier run left there.
    ///
    /// - Throws: ``OperationsError`` with code `.alreadyRunning` if a process runs the server, `.invalidDirectory` if
    ///   the directory belongs to somebody else.
    package static func remove(directory path: String, logger: Logger) async throws {
        try await onThread {
            let directory = try ServerDirectory.prepare(path, logger: logger)
            try LeftoverProcesses.stop(data: directory.data)
            directory.removeSocketDirectory()
            directory.remove()
            directory.lock.release()
        }
    }

    private func launch() throws(OperationsError) {
        let known = state.withLock { $0.socketDirectory }
        let socketDirectory = known.isEmpty ? try directory.makeSocketDirectory(port: configuration.port) : known
        let log = try directory.openLog()
        defer { close(log.file) }
        let arguments = configuration.arguments(data: directory.data, socketDirectory: socketDirectory)
        let command = try directory.account.command(
            [installation.program("postgres")] + arguments,
            deathSignal: configuration.durability == .durable ? "INT" : "QUIT"
        )
        let child = try ChildProcess.start(command, output: log.file)
        state.withLock { ($0.child, $0.socketDirectory) = (child, socketDirectory) }
        EmbeddedServerExit.remember(self)
        let end = ContinuousClock.now + configuration.startLimit
        while !isReady(child) {
            let hasEnded = child.wait(atMost: .milliseconds(10))
            if hasEnded || ContinuousClock.now > end {
                halt(SIGQUIT)
                throw OperationsError(
                    .startFailed,
                    "PostgreSQL \(hasEnded ? "did not start" : "took longer than \(configuration.startLimit) to start"); "
                        + "its last words, from \(directory.log):" + directory.logTail(since: log.length)
                )
            }
        }
        logger.info("PostgreSQL \(installation.version) runs in \(directory.path) as process \(child.identifier)")
    }

    /// Whether the server says in its `postmaster.pid` that it accepts connections, which is where `pg_ctl` looks too.
    private func isReady(_ child: ChildProcess) -> Bool {
        guard let text = try? String(contentsOfFile: "\(directory.data)/postmaster.pid", encoding: .utf8) else {
            return false
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count >= 8 && lines[0] == "\(child.identifier)" && lines[7].hasPrefix("ready")
    }

    /// Ends the server's process with a signal, and with a harder one when that takes too long.
    private func halt(_ signal: Int32) {
        guard let child = state.withLock({ $0.child }) else { return }
        let attempts = [
            (SIGINT, configuration.stopLimit), (SIGQUIT, .seconds(10)), (SIGKILL, Duration.seconds(10)),
        ]
        for (number, limit) in attempts.drop(while: { $0.0 != signal }) {
            child.signal(number)
            if child.wait(atMost: limit) { break }
            logger.warning("PostgreSQL (process \(child.identifier)) did not stop within \(limit)")
        }
        state.withLock { $0.child = nil }
    }

    /// Runs blocking work away from the cooperative pool.
    private static func onThread<R: Sendable>(
        _ queue: DispatchQueue = .global(),
        _ body: @escaping @Sendable () throws -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
