internal import FoundationEssentials
internal import Logging
internal import Postgres
internal import Schema
internal import Synchronization

/// The workers of one process as others see them: says twice a second that they live, and learns who else does.
final class WorkerFleet: Sendable {
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let process: String
    private let projections: [ProjectionVersion]
    private let known = Mutex<Set<LivingWorker>>([])
    private let isStopping = Mutex(false)
    /// What its workers, its heart and its meter say of a server that is away.
    let outage = ServerOutage()
    /// The workers of this process.
    let members: [UUID]

    /// How often the heart beats.
    private static let interval = Duration.milliseconds(500)

    /// - Parameters:
    ///   - count: How many workers this process has.
    ///   - projections: What they work on.
    init(_ configuration: PostgresConfiguration, count: Int, projections: [ProjectionVersion], logger: Logger) {
        var configuration = configuration
        // A heart that waits for a lock has stopped.
        configuration.settings["statement_timeout"] = "2s"
        // Nor does one beat whose connection has fallen silent: another may.
        configuration.answerTimeout = .seconds(5)
        self.configuration = configuration
        self.projections = projections
        self.logger = logger
        members = (0..<count).map { _ in UUID() }
        process = "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)"
    }

    /// The workers that lived when the heart last beat, of all processes.
    var living: Set<LivingWorker> { known.withLock { $0 } }

    /// Whether the process was asked to end: workers finish their batch then, and give their shards back.
    var isShuttingDown: Bool { isStopping.withLock { $0 } }

    /// Asks the workers to finish.
    func shutDown() { isStopping.withLock { $0 = true } }

    /// Puts the workers on the list; must have returned before they claim anything.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    func join() async throws {
        try await PostgresConnection.with(configuration, logger: logger) { try await beat($0) }
    }

    /// Beats until the task is cancelled. A server that cannot be reached is tried again with every beat.
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

    /// Takes the workers off the list.
    func leave() async {
        do {
            _ = try await PostgresConnection.with(configuration, logger: logger) { connection in
                try await connection.execute(Lease.Leave(workers: members))
            }
        } catch {
            logger.warning("the workers stay on the list until their heartbeat is old", metadata: ["error": "\(error)"])
        }
    }
}
