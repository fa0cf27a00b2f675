internal import EventModel
internal import EventStore
internal import FoundationEssentials
internal import Logging
internal import Metrics
internal import Postgres
internal import Schema
internal import Synchronization

/// One worker of a projector: holds shards under leases, folds their new events, and gives them back on request.
///
/// Belongs to one task.
struct ProjectorWorker {
    let id: UUID
    let configuration: PostgresConfiguration
    private let plan: BatchPlan
    let options: ProjectorOptions
    let fleet: WorkerFleet
    let decoder: EventDecoder
    let channel: String
    let logger: Logger
    /// Called after each round that folded events, with the count for each projection version.
    let progress: @Sendable ([ProjectionVersion: Int]) -> Void

    var projections: [ProjectionFiles] { plan.projections }
    var connection: PostgresConnection?
    var owned: [ProjectionShard: OwnedShard] = [:]
    var surveyed: ContinuousClock.Instant?
    /// The living workers when no shard was left to claim or to release.
    var settledAmong: Set<LivingWorker>?
    /// The shard under which the session writes additive rows; `nil` until it is set.
    var additivePart: Int?
    var writtenDown = ContinuousClock.now
    /// Whether events were read since ``writtenDown``.
    var hasReadSinceWriteDown = false
    var limit: BatchLimit
    /// Projections that are left alone for now.
    var suspensions: [ProjectionVersion: Suspension] = [:]
    /// Since when every attempt has failed for a temporary reason.
    private var troubledSince: ContinuousClock.Instant?
    private let projected = Counter(label: "recorder_projected_events_total")
    private let repeated = Counter(label: "recorder_projection_rounds_repeated_total")
    private let rounds = Metrics.Timer(label: "recorder_projection_round_seconds")
    var trouble = RepeatedTrouble()
    /// The trouble in looking for stalled sessions.
    var searchTrouble = RepeatedTrouble()
    /// Retries of stopped streams that are put off, and their trouble.
    var postponed = PostponedRetries()
    var retryTrouble = RepeatedTrouble()
    /// How much work there was, and how much of it was wasted.
    private(set) var tally = Tally()

    /// A worker's counts of its rounds.
    struct Tally: Sendable, Equatable {
        /// Rounds that folded events.
        var rounds = 0
        /// How often a round was begun again, because another worker's transaction came first.
        var repeated = 0
        /// At how many cursors its shards stood in the last round.
        var cursors = 0
    }

    /// How often a worker checks which shards are its own, and the longest it waits for a notification.
    static let tick = Duration.milliseconds(250)
    /// How often it checks while all is settled.
    static let settledTick = Duration.seconds(1)
    /// How often cursors that moved without events for their shards are stored: `past` if they passed events that
    /// others were given, which the status counts, `idle` if not.
    static let writeDownIntervals = (past: Duration.seconds(1), idle: Duration.seconds(10))
    /// How often a batch that lost against another worker's is begun again before the worker checks what it still owns.
    private static let retries = 8

    init(
        id: UUID,
        configuration: PostgresConfiguration,
        projections: [ProjectionFiles],
        options: ProjectorOptions,
        fleet: WorkerFleet,
        decoder: EventDecoder,
        channel: String,
        logger: Logger,
        progress: @escaping @Sendable ([ProjectionVersion: Int]) -> Void
    ) {
        var configuration = configuration
        configuration.answerTimeout = options.answerTimeout
        self.id = id
        self.configuration = configuration
        plan = BatchPlan(projections)
        self.options = options
        limit = BatchLimit(options.batchSize)
        self.fleet = fleet
        self.decoder = decoder
        self.channel = channel
        self.logger = logger
        self.progress = progress
    }

    // MARK: The loop

    /// Works until the fleet shuts down or the task is cancelled; or, given a target, until every shard has everything
    /// that this snapshot sees, and the requested retries are done or have failed for as long as the options say.
    ///
    /// - Throws: ``ProjectorError`` with `.failingEvent`, `.projectionFailed`, `.projectionWaits`,
    ///   `.mixedShards` or `.restoredLog`; `PostgresError` if the server cannot be reached for the time
    ///   that the options say; `CancellationError`.
    mutating func run(until target: PostgresSnapshot?) async throws {
        do {
            try await work(until: target)
        } catch {
            await giveBack()
            throw error
        }
        await giveBack()
    }

    private mutating func work(until target: PostgresSnapshot?) async throws {
        var notifications = PostgresNotifications(
            configuration,
            channels: [channel],
            quietAfter: min(Self.tick, options.pollInterval),
            logger: quietLogger
        ).makeAsyncIterator()
        // Listen first, then read to the head: commits in between send a notification.
        _ = try await notifications.next()
        while !fleet.isShuttingDown {
            do {
                let connection = try await connected()
                try await settleOwnership(on: connection)
                try await retryStopped(on: connection)
                while try await round(on: connection), !fleet.isShuttingDown {
                    try await writeDown(on: connection, force: false)
                    try await settleOwnership(on: connection)
                }
                try await writeDown(on: connection, force: target != nil)
                (troubledSince, trouble) = (nil, RepeatedTrouble())
                if let target, try await isDone(target, on: connection) { return }
            } catch let error as PostgresError where error.isPassing {
                troubledSince = troubledSince ?? .now
                try await recover(from: error, since: troubledSince ?? .now, isPatient: target == nil)
            } catch let error as ProjectorError where error.code == .leaseLost {
                logger.info("\(error)", metadata: ["worker": "\(id)"])
                forget()
            }
            _ = try await notifications.next()
        }
    }

    /// Forgets its shards; the next survey claims them again, at the database's checkpoints.
    mutating func forget() {
        owned = [:]
        surveyed = nil
        settledAmong = nil
        additivePart = nil
    }

    // MARK: Folding

    /// - Returns: Whether there may be more to do at once.
    private mutating func round(on connection: PostgresConnection) async throws -> Bool {
        let active = owned.filter { suspensions[$0.key.projection] == nil }
        var hasMore = false
        if !active.isEmpty {
            do {
                hasMore = try await attempt(active, isCareful: false, on: connection)
            } catch let error as PostgresError where needsCare(after: error) {
                hasMore = try await attemptCarefully(active, on: connection)
            }
        }
        return try await resume(on: connection) || hasMore
    }

    /// The lock may belong to a worker that is being replaced; if it cannot be had twice, somebody is holding it.
    private func needsCare(after error: PostgresError) -> Bool {
        error.isEventsFault || error.isProjectionsFault || (error.isLockTimeout && troubledSince != nil)
    }

    /// Folds each projection by itself, and suspends the first that cannot be folded.
    ///
    /// - Returns: Whether there may be more to do at once.
    mutating func attemptCarefully(
        _ active: [ProjectionShard: OwnedShard],
        on connection: PostgresConnection
    ) async throws -> Bool {
        do {
            return try await attempt(active, isCareful: true, on: connection)
        } catch let error as ProjectorError where [.projectionFailed, .projectionWaits].contains(error.code) {
            try await suspend(error, on: connection)
            return true
        }
    }

    private mutating func attempt(
        _ active: [ProjectionShard: OwnedShard],
        isCareful: Bool,
        on connection: PostgresConnection
    ) async throws -> Bool {
        let round = WorkerRound(
            owner: id,
            plan: plan,
            decoder: decoder,
            batchSize: limit.events,
            haltsOnFailure: options.onFailure == .halt,
            isCareful: isCareful
        )
        let start = ContinuousClock.now
        // Workers collide on rows that several streams share, such as a user's chain of audited events: the loser
        // begins again from a new snapshot.
        let attempts = Mutex(0)
        let outcome = try await connection.transaction(
            isolation: .repeatableRead,
            beginsLate: true,
            retries: Self.retries
        ) {
            attempts.withLock { $0 += 1 }
            return try await round.run(on: $0, owned: active)
        }
        count(attempts.withLock { $0 } - 1, outcome)
        owned.merge(outcome.owned) { _, new in new }
        for stop in outcome.stops { warn(of: stop.failing, key: stop.key) }
        limit.weigh(events: outcome.events, bytes: outcome.weight)
        if start.duration(to: .now) < options.answerTimeout / 4 { limit.grow() }
        // A long stretch without events must not be scanned again either.
        hasReadSinceWriteDown = hasReadSinceWriteDown || outcome.hasMore
        if let events = outcome.given.values.max() {
            hasReadSinceWriteDown = true
            projected.increment(by: events)
            rounds.record(duration: start.duration(to: .now))
            progress(outcome.given)
        }
        return outcome.hasMore
    }

    private mutating func count(_ inVain: Int, _ outcome: WorkerRound.Outcome) {
        tally.rounds += outcome.given.isEmpty ? 0 : 1
        tally.repeated += inVain
        repeated.increment(by: inVain)
        guard tally.cursors != outcome.cursors else { return }
        tally.cursors = outcome.cursors
        logger.debug("the shards stand at \(outcome.cursors) cursors", metadata: ["worker": "\(id)"])
    }

    // MARK: The end of catching up

    private func isDone(_ target: PostgresSnapshot, on connection: PostgresConnection) async throws -> Bool {
        for (projection, suspension) in suspensions {
            let cause = suspension.error
            if cause.code == .projectionWaits, .now < suspension.since + options.patience { return false }
            throw ProjectorError(cause.code, "\(projection) is suspended", cause: cause)
        }
        let isBehind = owned.values.contains { $0.cursor.window != nil || !target.isSubset(of: $0.cursor.delivered) }
        guard !isBehind, !postponed.hasAny(within: options.patience) else { return false }
        let status = try await connection.query(ProjectionStatus.Select(until: target))
        let mine = Set(projections.map(\.id))
        return status.allSatisfy {
            !mine.contains($0.key.projection) || owned[$0.key] != nil || $0.eventsBehind == 0
        }
    }

    // MARK: The connection

    /// For the connection that listens. Quiet, because the workers already report a server that is away.
    private var quietLogger: Logger {
        var quiet = logger
        if logger.logLevel > .debug { quiet.logLevel = max(logger.logLevel, .error) }
        return quiet
    }

    /// The connection, opened if there is none; the first use of each checks that the log is this cluster's own.
    private mutating func connected() async throws -> PostgresConnection {
        if let connection, connection.isOpen { return connection }
        let made = try await PostgresConnection.connect(configuration, logger: logger)
        try await Projector.checkLog(on: made)
        _ = try await made.first(SummarizeLog())
        connection = made
        forget()
        return made
    }
}
