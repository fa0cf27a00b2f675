package import EventStore
package import Logging
package import Postgres
internal import ServiceLifecycle

internal import Metrics

/// The bounds of a projector.
package struct ProjectorOptions: Sendable {
    /// How many events one transaction folds at most.
    package var batchSize: Int
    /// After how much silence to look without having been woken.
    package var pollInterval: Duration
    /// How long a projector that catches up tries to reach the server again; the daemon never gives up.
    package var patience: Duration

    package init(batchSize: Int = 1_000, pollInterval: Duration = .seconds(1), patience: Duration = .seconds(30)) {
        self.batchSize = batchSize
        self.pollInterval = pollInterval
        self.patience = patience
    }
}

/// How far a projector that catches up has come.
package struct ProjectorProgress: Sendable {
    /// Events that were folded since it began.
    package let events: Int
    /// Where the projection that is furthest behind stands.
    package let cursor: LogCursor
}

/// Builds read models from the log: woken by the appenders, it folds what is new and waits again.
///
/// The rows of all projections and their checkpoints change in one transaction. It may be lost in a crash of the server
/// (`synchronous_commit` is off): then both are where they were before, and the events are folded again.
package final class Projector: Service {
    private let configuration: PostgresConfiguration
    private let projections: [Projection]
    private let options: ProjectorOptions
    private let logger: Logger
    private let decoder = EventDecoder()
    private let projected = Counter(label: "recorder_projected_events_total")
    private let rounds = Metrics.Timer(label: "recorder_projection_round_seconds")

    /// - Parameters:
    ///   - configuration: The database, with the schema that the migrations were run in.
    ///   - projections: What to build; their tables must be there.
    package init(
        _ configuration: PostgresConfiguration,
        projections: [Projection],
        options: ProjectorOptions = ProjectorOptions(),
        logger: Logger = Logger(label: "recorder.projector")
    ) {
        var configuration = configuration
        configuration.settings.merge(LogReader.sessionSettings) { given, _ in given }
        configuration.settings["synchronous_commit"] = "off"
        self.configuration = configuration
        self.projections = projections
        self.options = options
        self.logger = logger
    }

    /// Projects until the service shuts down gracefully or the task is cancelled; the batch under way is finished.
    ///
    /// - Throws: ``ProjectorError`` with `.failingEvent` or `.restoredLog`; `PostgresError` if the server cannot be reached
    ///   at the start.
    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await self.follow()
            } catch is CancellationError {
                self.logger.info("the projector stops")
            }
        }
    }

    private func follow() async throws {
        var notifications = PostgresNotifications(
            configuration,
            channels: [try await channel()],
            quietAfter: options.pollInterval,
            logger: logger
        ).makeAsyncIterator()
        // Listen first, then read to the head: what commits in between announces itself.
        _ = try await notifications.next()
        var connection: PostgresConnection?
        while true {
            do {
                let current = try await opened(&connection)
                while try await round(on: current).hasMore { try Task.checkCancellation() }
            } catch let error as PostgresError where error.isRetryable || error.code == .closed {
                logger.warning("a batch is tried again", metadata: ["error": "\(error)"])
                if error.isTransactionConflict { continue }
                connection = nil
            } catch let error as ProjectorError where error.code == .checkpointMoved {
                logger.warning("\(error)")
            }
            _ = try await notifications.next()
        }
    }

    /// Projects until the read models hold everything that was committed when it looked last.
    ///
    /// - Parameter progress: Told after each batch.
    /// - Returns: How many events were folded.
    /// - Throws: As ``run()``; `CancellationError`.
    @discardableResult
    package func runUntilCaughtUp(_ progress: (ProjectorProgress) -> Void = { _ in }) async throws -> Int {
        var connection: PostgresConnection?
        var events = 0
        var giveUp: ContinuousClock.Instant?
        while true {
            do {
                let current = try await opened(&connection)
                let outcome = try await round(on: current)
                giveUp = nil
                events += outcome.events
                if let cursor = outcome.cursor { progress(ProjectorProgress(events: events, cursor: cursor)) }
                if !outcome.hasMore { break }
            } catch let error as PostgresError where error.isRetryable || error.code == .closed {
                let deadline = giveUp ?? .now + options.patience
                giveUp = deadline
                guard .now < deadline else { throw error }
                logger.warning("a batch is tried again", metadata: ["error": "\(error)"])
                if error.code != .server { connection = nil }
                try await Task.sleep(for: Self.retryPause)
            } catch let error as ProjectorError where error.code == .checkpointMoved {
                logger.warning("\(error)")
            }
            try Task.checkCancellation()
        }
        await connection?.close()
        return events
    }

    /// How long to leave a server alone that cannot be reached.
    private static let retryPause = Duration.milliseconds(100)

    private func round(on connection: PostgresConnection) async throws -> ProjectionRound.Outcome {
        let round = ProjectionRound(projections: projections, decoder: decoder, batchSize: options.batchSize)
        let start = ContinuousClock.now
        let outcome = try await connection.transaction(isolation: .repeatableRead, retries: 10) { connection in
            try await round.run(on: connection)
        }
        if outcome.events > 0 {
            projected.increment(by: outcome.events)
            rounds.record(duration: start.duration(to: .now))
        }
        return outcome
    }

    // MARK: The connection

    /// The connection, opened if there is none; the first use of each checks that the log is this cluster's own.
    private func opened(_ connection: inout PostgresConnection?) async throws -> PostgresConnection {
        if let connection, connection.isOpen { return connection }
        let made = try await PostgresConnection.connect(configuration, logger: logger)
        if let foreign = try await made.first(LogReader.ForeignTransaction()) {
            throw ProjectorError(
                .restoredLog,
                "the log holds transaction \(foreign.value), which this cluster has not begun yet: it was restored from a "
                    + "dump of another cluster, and its order cannot be told. Nothing was projected"
            )
        }
        try await made.execute(Checkpoint.Create(projections: projections))
        connection = made
        return made
    }

    private func channel() async throws -> String {
        let connection = try await PostgresConnection.connect(configuration, logger: logger)
        let schema = try await connection.text(unsafeSQL: "select current_schema()").first?.first ?? nil
        await connection.close()
        guard let schema else {
            throw ProjectorError(.invalidProjection, "the schema is not there: run `recorder migrate up` first")
        }
        return LogChannel.name(schema: schema)
    }
}
