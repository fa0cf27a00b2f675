package import EventStore
package import Logging
package import Postgres
package import Schema
internal import ServiceLifecycle
internal import Synchronization

/// Builds read models from the log: woken by the appenders, its workers fold what is new and wait again.
///
/// Any number of projectors, in any number of processes, share the work. The rows of all projections and their
/// checkpoints change in one transaction. It may be lost in a crash of the server (`synchronous_commit` is off): then
/// both are where they were before, and the events are folded again.
package final class Projector: Service {
    private let configuration: PostgresConfiguration
    private let projections: [ProjectionFiles]
    private let options: ProjectorOptions
    private let logger: Logger
    private let decoder: EventDecoder
    private let life = Mutex(Life())

    private struct Life {
        var fleet: WorkerFleet?
        var isStopped = false
    }

    /// How long a worker waits for a lock. The first time it then tries again, the second time it suspends the
    /// projection.
    static let lockTimeout = "2s"
    /// How long a statement may take to stop when its task is cancelled.
    private static let cancelTimeout = Duration.seconds(2)

    /// - Parameters:
    ///   - configuration: The database, with the schema that the migrations were run in.
    ///   - projections: What to build; their tables must be there.
    ///   - keys: The key-encryption keys, for a log whose personal fields are sealed.
    package init(
        _ configuration: PostgresConfiguration,
        projections: [ProjectionFiles],
        keys: SealingKeys = .none,
        options: ProjectorOptions = ProjectorOptions(),
        logger: Logger = Logger(label: "recorder.projector")
    ) {
        var configuration = configuration
        configuration.settings.merge(FoldSession.settings) { given, _ in given }
        // A worker that was stopped in the middle of a transaction must not hold its locks for longer than its lease.
        configuration.settings["idle_in_transaction_session_timeout"] = "3s"
        configuration.settings["lock_timeout"] = Self.lockTimeout
        // A projector that is told to end at once must not wait long for a server that says nothing.
        configuration.cancelTimeout = min(configuration.cancelTimeout, Self.cancelTimeout)
        self.configuration = configuration
        self.projections = projections
        self.options = options
        self.logger = logger
        decoder = EventDecoder(keys: keys)
    }

    /// Projects until the service shuts down gracefully or the task is cancelled: then the batch under way is finished,
    /// and the shards are given back. Cancelling the task gives the batch up; a server that says nothing is left within
    /// seconds then.
    ///
    /// - Throws: ``ProjectorError`` with `.failingEvent`, `.mixedShards` or `.restoredLog`; `EventStoreError` with
    ///   `.keyUnavailable` if an event is sealed under a key-encryption key that is not here; `PostgresError` if the
    ///   server cannot be reached at the start.
    package func run() async throws {
        do {
            try await work(until: nil) { _ in }
        } catch is CancellationError {
            logger.info("the projector stops")
        }
    }

    /// Makes ``run()`` finish the batches under way, give the shards back and return; if it has not begun to work yet,
    /// it never does.
    package func stop() {
        life.withLock { life in
            life.isStopped = true
            life.fleet?.shutDown()
        }
    }

    /// Projects until the read models hold everything that was committed when it began, even if others work on them
    /// too.
    ///
    /// - Parameter progress: Called after each batch with the number of events projected so far.
    /// - Returns: How many events were projected, for the projection with the most.
    /// - Throws: As ``run()``; ``ProjectorError`` with `.projectionFailed` or `.projectionWaits`; `CancellationError`.
    @discardableResult
    package func runUntilCaughtUp(_ progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws -> Int {
        let given = Mutex<[ProjectionVersion: Int]>([:])
        let target = try await PostgresConnection.with(configuration, logger: logger) { connection in
            try await connection.first(LogReader.CurrentSnapshot())?.snapshot ?? .beginning
        }
        try await work(until: target) { events in
            let most = given.withLock { given in
                given.merge(events, uniquingKeysWith: +)
                return given.values.max() ?? 0
            }
            progress(most)
        }
        return given.withLock { $0.values.max() ?? 0 }
    }

    private func work(
        until target: PostgresSnapshot?,
        _ progress: @escaping @Sendable ([ProjectionVersion: Int]) -> Void
    ) async throws {
        let channel = try await prepare()
        let fleet = WorkerFleet(
            configuration,
            count: options.workers,
            projections: projections.map(\.id),
            logger: logger
        )
        // From here on ``stop()`` stops the fleet, even while it joins.
        let isStopped = life.withLock { life in
            life.fleet = fleet
            return life.isStopped
        }
        defer { life.withLock { $0.fleet = nil } }
        guard !isStopped else { return }
        try await fleet.join()
        do {
            try await withTaskCancellationOrGracefulShutdownHandler {
                try await self.run(fleet, channel: channel, until: target, progress)
            } onCancelOrGracefulShutdown: {
                fleet.shutDown()
            }
        } catch {
            await Task { await fleet.leave() }.value
            throw error
        }
        await Task { await fleet.leave() }.value
    }

    private func run(
        _ fleet: WorkerFleet,
        channel: String,
        until target: PostgresSnapshot?,
        _ progress: @escaping @Sendable ([ProjectionVersion: Int]) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                await fleet.run()
                return false
            }
            let meter = LagMeter(configuration, outage: fleet.outage, logger: logger)
            group.addTask {
                await meter.run()
                return false
            }
            if target == nil {
                let upkeep = PartitionUpkeep(configuration: configuration, logger: logger)
                group.addTask {
                    await upkeep.run()
                    return false
                }
            }
            for id in fleet.members {
                var worker = ProjectorWorker(
                    id: id,
                    configuration: configuration,
                    projections: projections,
                    options: options,
                    fleet: fleet,
                    decoder: decoder,
                    channel: channel,
                    logger: logger,
                    progress: progress
                )
                group.addTask {
                    try await worker.run(until: target)
                    return true
                }
            }
            var working = fleet.members.count
            while working > 0, let isWorker = try await group.next() { working -= isWorker ? 1 : 0 }
            group.cancelAll()
        }
    }

    /// Checks the log, creates the missing checkpoints, and names the channel to listen to.
    private func prepare() async throws -> String {
        let schema = try await PostgresConnection.with(configuration, logger: logger) { connection in
            try await Self.checkLog(on: connection)
            try await connection.execute(Checkpoint.Create(projections: projections, shards: options.shards))
            return try await connection.firstColumn(unsafeSQL: "select current_schema()").first
        }
        guard let schema else {
            throw ProjectorError(.invalidProjection, "the schema is not there: run `recorder migrate up` first")
        }
        return LogChannel.name(schema: schema)
    }

    /// Refuses a log that was restored from a dump of another cluster.
    static func checkLog(on connection: PostgresConnection) async throws {
        do {
            try await RestoredLog.refuse(on: connection)
        } catch let error as EventStoreError where error.code == .restoredLog {
            throw ProjectorError(.restoredLog, "\(error.message). Nothing was projected")
        }
    }
}
