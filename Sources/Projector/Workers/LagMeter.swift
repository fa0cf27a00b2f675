internal import Logging
internal import Postgres

/// Measures how far the projections are behind, for swift-metrics.
///
/// Counting the waiting events takes longer the more there are. So it has a connection of its own, and nothing that
/// keeps a lease alive waits for it.
struct LagMeter: Sendable {
    private let configuration: PostgresConfiguration
    private let outage: ServerOutage
    private let logger: Logger
    private let interval: Duration

    /// - Parameters:
    ///   - interval: How long to pause between two measurements.
    ///   - outage: Shared with others, so that only one of them reports a server that is away.
    init(
        _ configuration: PostgresConfiguration,
        interval: Duration = .seconds(10),
        outage: ServerOutage = ServerOutage(),
        logger: Logger
    ) {
        var configuration = configuration
        // Figures that take longer would be out of date.
        configuration.settings["statement_timeout"] = "30s"
        self.configuration = configuration
        self.interval = interval
        self.outage = outage
        self.logger = logger
    }

    /// Measures until the task is cancelled, and then removes its figures. A measurement that fails is skipped.
    func run() async {
        var connection: PostgresConnection?
        var trouble = RepeatedTrouble()
        var before: (statuses: [ProjectionStatus], at: ContinuousClock.Instant)?
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            do {
                try Task.checkCancellation()
                let open = try await PostgresConnection.open(connection, configuration, logger: logger)
                connection = open
                let now = try await open.query(ProjectionStatus.Select(until: nil))
                let elapsed = before.map { $0.at.duration(to: .now) } ?? .zero
                ProjectionLag.record(ProjectionLag.all(now, before: before?.statuses, elapsed: elapsed))
                let keys = Set(now.map(\.key))
                ProjectionLag.forget(before?.statuses.filter { !keys.contains($0.key) } ?? [])
                before = (now, .now)
                trouble = RepeatedTrouble()
            } catch is CancellationError {
                break
            } catch {
                if trouble.isWorthSaying(error), outage.isNews(error) {
                    logger.warning(
                        "how far the projections are behind was not measured",
                        metadata: ["error": "\(error)"]
                    )
                }
                connection = nil
            }
        }
        ProjectionLag.forget(before?.statuses ?? [])
    }
}
