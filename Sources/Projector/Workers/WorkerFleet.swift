internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Schema
internal import Synchronization

/// The workers of one process: records twice a second that they are alive, and learns which others are.
final class WorkerFleet: Sendable {
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let process: String
    private let projections: [ProjectionVersion]
    private let known = Mutex<Set<LivingWorker>>([])
    private let stopped = Mutex<ContinuousClock.Instant?>(nil)
    /// Shared by the workers, the heartbeat and the meter, so that only one of them reports a server that is away.
    let outage = ServerOutage()
    /// The workers of this process.
    let members: [UUID]

    /// How often to send a heartbeat.
    private static let interval = Duration.milliseconds(500)
    /// How long the server may take to answer a heartbeat.
    private static let answerTimeout = Duration.seconds(5)
    /// How long the end may take in all after the request for it, and what remains for each farewell even then.
    private static let ending = (inAll: Duration.seconds(10), atLeast: Duration.seconds(2))

    /// - Parameters:
    ///   - count: How many workers this process has.
    ///   - projections: What they work on.
    init(_ configuration: PostgresConfiguration, count: Int, projections: [ProjectionVersion], logger: Logger) {
        var configuration = configuration
        // A heartbeat must not wait for a lock for long.
        configuration.settings["statement_timeout"] = "2s"
        // A heartbeat must not hang on a silent connection; the next one opens another.
        configuration.answerTimeout = Self.answerTimeout
        self.configuration = configuration
        self.projections = projections
        self.logger = logger
        members = (0..<count).map { _ in UUID() }
        process = "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)"
    }

    /// The living workers of all processes, as of the last heartbeat.
    var living: Set<LivingWorker> { known.withLock { $0 } }

    /// Whether the process was asked to end: workers finish their batch then, and give their shards back.
    var isShuttingDown: Bool { stopped.withLock { $0 != nil } }

    /// How long the server may take to answer a farewell: less, the longer the end has taken already.
    var farewellTimeout: Duration {
        guard let stopped = stopped.withLock({ $0 }) else { return Self.answerTimeout }
        let left = ContinuousClock.now.duration(to: stopped + Self.ending.inAll)
        return min(Self.answerTimeout, max(left, Self.ending.atLeast))
    }

    /// Asks the workers to finish.
    func shutDown() { stopped.withLock { $0 = $0 ?? .now } }

    /// Puts the workers on the list; it must return before they claim anything.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    func join() async throws {
        try await PostgresConnection.with(configuration, logger: logger) { try await beat($0) }
    }

    /// Sends heartbeats until the task is cancelled. A server that cannot be reached is tried again each time.
    func run() async {
        var connection: PostgresConnection?
        var trouble = RepeatedTrouble()
        while !Task.isCancelled {
            do {
                let open = try await PostgresConnection.open(connection, configuration, logger: logger)
                connection = open
                try await beat(open)
                trouble = RepeatedTrouble()
                if let away = outage.end() {
                    logger.info("the server answers again after \(away.components.seconds) s")
                }
            } catch is CancellationError {
                break
            } catch {
                if trouble.isWorthSaying(error), outage.isNews(error) {
                    logger.warning("the heartbeat failed", metadata: ["error": "\(error)"])
                }
                connection = nil
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func beat(_ connection: PostgresConnection) async throws {
        let (_, found) = try await connection.pipeline(
            Lease.Heartbeat(workers: members, process: process, projections: projections),
            Lease.Living(),
            sync: .each
        )
        known.withLock { $0 = Set(found) }
    }

    /// Removes the workers from the list; a server that does not answer soon finds their heartbeat old.
    func leave() async {
        var configuration = configuration
        configuration.answerTimeout = farewellTimeout
        if isShuttingDown { configuration.connectTimeout = min(configuration.connectTimeout, farewellTimeout) }
        do {
            _ = try await PostgresConnection.with(configuration, logger: logger) { connection in
                try await connection.execute(Lease.Leave(workers: members))
            }
        } catch {
            logger.warning("the workers stay on the list until their heartbeat is old", metadata: ["error": "\(error)"])
        }
    }
}
